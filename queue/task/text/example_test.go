package text_test

import (
	"context"
	"fmt"
	"strings"

	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/queue/task/text"
)

// A file of tasks is read a line at a time; a line with a mistake is named and
// does not stop the others.
func ExampleLines() {
	lines := text.NewLines(strings.NewReader(`{"command": "make test", "timeout": "10m"}
{"comand": "make lint"}
`))
	for {
		line, more := lines.Next(context.Background())
		if !more {
			return
		}
		if line.Err != nil {
			fmt.Printf("line %d: %v; %s\n", line.Number, line.Err, task.HintOf(line.Err))
			continue
		}
		fmt.Println(line.Task.Spec.Shell, line.Task.Spec.Timeout)
	}
	// Output:
	// make test 10m0s
	// line 2: there is no field "comand"; did you mean "command"?
}

// A task as the command line that asks for the same.
func ExampleSubmitCommand() {
	s := task.Spec{Argv: []string{"make", "test"}, Priority: task.PriorityHigh, Retries: 2, Env: map[string]string{"GREETING": "good day"}}
	fmt.Println(text.SubmitCommand(&s))
	// Output: octaskly submit --priority high --retries 2 --env 'GREETING=good day' -- make test
}

func ExampleParseMiB() {
	for _, size := range []string{"512", "2GiB", "2GB", "1.5g"} {
		mib, _ := text.ParseMiB(size)
		fmt.Println(size, "is", mib, "MiB")
	}
	// Output:
	// 512 is 512 MiB
	// 2GiB is 2048 MiB
	// 2GB is 1908 MiB
	// 1.5g is 1536 MiB
}
