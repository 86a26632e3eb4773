// Package exectest stands in for real processes in tests.
package exectest
