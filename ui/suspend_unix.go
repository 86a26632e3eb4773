//go:build unix

package ui

import tea "github.com/charmbracelet/bubbletea"

// suspend gives the terminal back to the shell until fg.
func suspend() tea.Cmd { return tea.Suspend }
