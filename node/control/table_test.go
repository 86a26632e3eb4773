package control

import (
	"context"
	"errors"
	"io"
	"reflect"
	"slices"
	"testing"

	"github.com/adauldev/octaskly/queue/task"
)

// adminOnly are the methods that change the cluster or a node; the others are
// for whoever may submit.
var adminOnly = []string{"drain", "undrain", "remove", "admit", "invite", "create_token", "promote", "stop", "offers", "decide"}

func TestRolesOfMethods(t *testing.T) {
	for _, m := range Methods() {
		admin := slices.Contains(adminOnly, m.Name)
		for _, tc := range []struct {
			roles []task.Role
			ok    bool
		}{
			{nil, false},
			{[]task.Role{task.RoleWorker}, false},
			{[]task.Role{task.RoleDispatcher}, false},
			{[]task.Role{task.RoleWorker, task.RoleClient}, !admin},
			{[]task.Role{task.RoleAdmin}, admin},
			{[]task.Role{task.RoleClient, task.RoleAdmin}, true},
		} {
			err := m.Allowed(tc.roles)
			if (err == nil) != tc.ok || err != nil && task.KindOf(err) != task.KindNotAllowed {
				t.Errorf("%s with the roles %v: %v", m.Name, tc.roles, err)
			}
		}
	}
}

// recorder is a Caller that keeps which method was asked.
type recorder struct{ asked []*Method }

var errRecorded = errors.New("recorded")

func (r *recorder) Call(_ context.Context, m *Method, request any) (any, error) {
	return nil, r.record(m, request)
}

func (r *recorder) Open(_ context.Context, m *Method, request any) (io.Closer, error) {
	return nil, r.record(m, request)
}

func (r *recorder) Upload(_ context.Context, m *Method, _ int64, _ func([]byte) (int, error)) (string, error) {
	return "", r.record(m, &UploadRequest{})
}

func (r *recorder) record(m *Method, request any) error {
	r.asked = append(r.asked, m)
	if got := reflect.TypeOf(request).Elem(); got != m.Request {
		return errors.New(m.Name + " was asked by a " + got.String())
	}
	return errRecorded
}

// Every method of Control has a row of its own, and every row a method.
func TestTableIsWhole(t *testing.T) {
	r := &recorder{}
	client := reflect.ValueOf(Client{By: r})
	all := reflect.TypeFor[Control]()
	for i := range all.NumMethod() {
		name := all.Method(i).Name
		method := client.MethodByName(name)
		args := []reflect.Value{reflect.ValueOf(t.Context())}
		for j := 1; j < method.Type().NumIn(); j++ {
			args = append(args, reflect.Zero(method.Type().In(j)))
		}
		out := method.Call(args)
		if err, _ := out[len(out)-1].Interface().(error); !errors.Is(err, errRecorded) {
			t.Errorf("%s: %v", name, err)
		}
		if len(r.asked) != i+1 {
			t.Errorf("%s asked for nothing, or twice", name)
		}
	}
	if len(r.asked) != len(Methods()) {
		t.Errorf("the table has %d rows for %d methods", len(Methods()), all.NumMethod())
	}
	seen := map[*Method]string{}
	for i, m := range r.asked {
		if other := seen[m]; other != "" {
			t.Errorf("%s and %s are one row, %s", other, all.Method(i).Name, m.Name)
		}
		seen[m] = all.Method(i).Name
	}
}

// No interface of Control is so large that nobody can stand in for it.
func TestInterfacesAreSmall(t *testing.T) {
	for _, i := range []reflect.Type{
		reflect.TypeFor[Tasks](), reflect.TypeFor[Nodes](), reflect.TypeFor[Members](),
		reflect.TypeFor[Replicas](), reflect.TypeFor[Access](), reflect.TypeFor[Watch](), reflect.TypeFor[Admin](),
	} {
		if n := i.NumMethod(); n >= 8 {
			t.Errorf("%s has %d methods; at most 7 are wanted", i.Name(), n)
		}
	}
}

// nodesOnly is a Control of which one method is there.
type nodesOnly struct{ Control }

func (nodesOnly) Drain(_ context.Context, node string) (Node, error) {
	return Node{Name: node, State: NodeDraining}, task.Errorf(task.KindConflict, "half done")
}

func TestDirectKeepsTheReplyBesideAnError(t *testing.T) {
	c := Client{By: Direct(func(*Method) Control { return nodesOnly{} })}
	n, err := c.Drain(t.Context(), "mill")
	if n.Name != "mill" || n.State != NodeDraining || task.KindOf(err) != task.KindConflict {
		t.Errorf("got %+v, %v", n, err)
	}
}

func TestErrorKinds(t *testing.T) {
	for _, k := range []task.Kind{
		task.KindInternal, task.KindUsage, task.KindNotFound, task.KindNotAllowed, task.KindNoDispatcher, task.KindConflict,
		task.KindTimeout, task.KindFull, task.KindDisk, task.KindTooLarge, task.KindUnavailable, task.KindCorrupt,
	} {
		if !slices.ContainsFunc(ErrorKinds(), func(e ErrorKind) bool { return e.Kind == k }) {
			t.Errorf("%s has no row", k)
		}
	}
	for _, e := range ErrorKinds() {
		if e.HTTP < 400 || e.HTTP > 599 || e.Exit < 1 || e.Exit > 124 {
			t.Errorf("%s: status %d, exit code %d", e.Kind, e.HTTP, e.Exit)
		}
	}
	if e := ErrorKindOf("of a later version"); e.HTTP != 500 || e.Exit != 1 {
		t.Errorf("an unknown kind: %+v", e)
	}
}

func TestPrincipals(t *testing.T) {
	for _, tc := range []struct {
		user string
		want task.Principal
		ok   bool
	}{
		{"", "node:abc", true},
		{"user:1000", "user:1000@abc", true},
		{"user:S-1-5-21-7", "user:S-1-5-21-7@abc", true},
		{"user:", "", false},
		{"token:admin", "", false},
		{"node:other", "", false},
		{"user:0@other", "", false},
		{"user:0\x1b[2J", "", false},
	} {
		got, err := PrincipalOf(tc.user, "abc")
		if got != tc.want || (err == nil) != tc.ok {
			t.Errorf("%q: %q, %v", tc.user, got, err)
		}
	}
	for who, want := range map[task.Principal]string{
		"user:7@abc": "user:7", "user:7@other": "", "node:abc": "", "token:x@abc": "",
	} {
		if got := UserAt(who, "abc"); got != want {
			t.Errorf("%s is %q here, wanted %q", who, got, want)
		}
	}
}
