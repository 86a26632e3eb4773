//go:build !unix

package ui

import tea "github.com/charmbracelet/bubbletea"

// suspend is not there on this system.
func suspend() tea.Cmd { return nil }
