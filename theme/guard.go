// Package theme gives colour its meaning. It imports nothing of ours.
package theme

import "github.com/charmbracelet/lipgloss"

// Bubble Tea asks the terminal for its background colour while it is being
// initialised: it writes two escape sequences and waits up to five seconds for
// an answer, for every command line that links it, whether or not a screen is
// opened. Lip Gloss does not ask once it has been told.
//
// Go initialises packages in the order of their import paths as soon as what
// they import is ready, so this runs first because this package's path sorts
// before Bubble Tea's and because it imports Lip Gloss but not Bubble Tea. A
// test of the program holds it.
func init() { lipgloss.SetHasDarkBackground(true) }
