package control_test

import (
	"context"
	"fmt"

	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/queue/task"
)

// twoNodes implements the one method that the example needs.
type twoNodes struct{ control.Control }

func (twoNodes) Nodes(context.Context) ([]control.Node, error) {
	return []control.Node{{Name: "mill-01", State: control.NodeUp}, {Name: "mill-02", State: control.NodeDrained}}, nil
}

// A client asks a Caller; Direct is the one without a connection, to which the
// function says for each request who serves it.
func ExampleClient() {
	client := control.Client{By: control.Direct(func(m *control.Method) control.Control {
		fmt.Println("asked:", m.Name)
		return twoNodes{}
	})}
	nodes, err := client.Nodes(context.Background())
	for _, n := range nodes {
		fmt.Println(n.Name, n.State)
	}
	fmt.Println(err)
	// Output:
	// asked: nodes
	// mill-01 up
	// mill-02 drained
	// <nil>
}

// Whoever drives the methods, a server or REST, finds all of them in one list.
func ExampleMethods() {
	for _, m := range control.Methods() {
		if m.Kind < 37 {
			fmt.Println(m.Kind, m.Name, m.Role, m.Request, m.Reply)
		}
	}
	// Output:
	// 32 submit client control.SubmitRequest control.SubmitReply
	// 33 get client control.TaskRequest task.Task
	// 34 list client task.Query task.Page
	// 35 cancel client control.CancelRequest []control.CancelReply
	// 36 why client control.TaskRequest control.Why
}

// One row says how an error leaves the program, by each way out.
func ExampleErrorKindOf() {
	err := task.Errorf(task.KindNotFound, "no task 7")
	row := control.ErrorKindOf(task.KindOf(err))
	fmt.Println(row.HTTP, row.Exit)
	// Output: 404 3
}
