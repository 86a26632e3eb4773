//go:build !octaskly_bugs

package bugs

// Planted is never set in this build.
var Planted Set
