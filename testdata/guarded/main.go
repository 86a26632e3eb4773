// Command guarded links Bubble Tea and the guard of package theme.
package main

import (
	"fmt"

	_ "github.com/charmbracelet/bubbletea"

	_ "github.com/adauldev/octaskly/theme"
)

func main() { fmt.Println("guarded") }
