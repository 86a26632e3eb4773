//go:build !octaskly_bugs

package nodetest

const bugsBuilt = false
