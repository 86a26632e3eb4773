package node

import (
	"go/ast"
	"go/parser"
	"go/token"
	"strconv"
	"testing"

	"github.com/adauldev/octaskly/node/remote"
	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/quicnet/wire"
)

// methodsOf reads the methods that package remote declares.
func methodsOf(t *testing.T) []remote.Method {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), "remote/method.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var ms []remote.Method
	ast.Inspect(f, func(n ast.Node) bool {
		v, ok := n.(*ast.ValueSpec)
		if !ok || len(v.Values) != 1 {
			return true
		}
		typ, ok := v.Type.(*ast.Ident)
		if !ok || typ.Name != "Method" {
			return true
		}
		s, err := strconv.Unquote(v.Values[0].(*ast.BasicLit).Value)
		if err != nil {
			t.Fatal(err)
		}
		ms = append(ms, remote.Method(s))
		return true
	})
	return ms
}

func TestEveryMethodNeedsARole(t *testing.T) {
	methods := methodsOf(t)
	if len(methods) < 18 {
		t.Fatalf("found %d methods only: %v", len(methods), methods)
	}
	admin := map[remote.Method]bool{
		remote.Drain: true, remote.Undrain: true, remote.Remove: true, remote.Admit: true,
		remote.Invite: true, remote.Promote: true, remote.Stop: true, remote.Offers: true, remote.Decide: true,
	}
	for _, m := range methods {
		if need, known := needs[m]; !known {
			t.Errorf("%s is allowed to nobody: it has no row", m)
		} else if need == "" || need == task.RoleWorker {
			t.Errorf("%s needs the role %q, which every worker has", m, need)
		}
		for _, tc := range []struct {
			roles []task.Role
			ok    bool
		}{
			{nil, false},
			{[]task.Role{task.RoleWorker}, false},
			{[]task.Role{task.RoleDispatcher}, false},
			{[]task.Role{task.RoleWorker, task.RoleClient}, !admin[m]},
			{[]task.Role{task.RoleAdmin}, admin[m]},
			{allRoles, true},
		} {
			err := mayCall(tc.roles)(m)
			if (err == nil) != tc.ok {
				t.Errorf("%s with roles %v: %v", m, tc.roles, err)
			}
			if err != nil && task.KindOf(err) != task.KindNotAllowed {
				t.Errorf("%s: the refusal is of kind %v", m, task.KindOf(err))
			}
		}
	}
	if len(needs) != len(methods) {
		t.Errorf("the table has %d rows for %d methods", len(needs), len(methods))
	}
	if mayCall(allRoles)("no_such_method") == nil {
		t.Error("a method that is not there is allowed")
	}
}

func TestStreamsNeedRoles(t *testing.T) {
	for _, k := range []wire.StreamKind{wire.StreamWork, wire.StreamOutput, wire.StreamBlob} {
		if roleFor(k) != task.RoleWorker {
			t.Errorf("%s needs role %q", k, roleFor(k))
		}
	}
}
