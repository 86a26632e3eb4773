// Command bare links Bubble Tea without the guard of package theme. It exists
// so that the test of the guard can be seen to fail.
package main

import (
	"fmt"

	_ "github.com/charmbracelet/bubbletea"
)

func main() { fmt.Println("bare") }
