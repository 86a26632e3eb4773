package wire

import (
	"math/rand/v2"
	"reflect"
	"testing"

	"github.com/adauldev/octaskly/queue/task"
)

// samples holds one message of every registered kind. A kind that is missing
// here fails TestEveryKindHasASample.
func samples() []Message {
	all := []Message{
		Hello{},
		Welcome{},
		Refused{},
		GoAway{},
		Fault{},
		Register{},
		Accepted{},
		Beat{},
		BeatAck{},
		Assign{},
		Started{},
		Results{},
		ResultAck{},
		Stop{},
		Declined{},
		Release{},
		OutputOpen{},
		OutputHave{},
		BlobWant{},
		BlobHave{},
		Request[sample]{Kind: kindSample},
		Reply[sample]{},
		Item[sample]{},
		Ended{},
		Part{},
		Failure{},
		Peers{},
		JoinOpen{},
		JoinReady{},
		JoinWait{},
		JoinProof{},
		JoinRequest{},
		JoinGrant{},
		JoinDone{},
		LocalHello{},
		LocalProof{},
		LocalWelcome{},
		Enrol{},
		Enrolled{},
	}
	for i, m := range all {
		v := reflect.New(reflect.TypeOf(m)).Elem()
		v.Set(reflect.ValueOf(m))
		fill(v, rand.New(rand.NewPCG(1, uint64(i))), 0)
		all[i] = v.Interface().(Message)
	}
	return all
}

// fill puts something into every field, except into Kind, which decides.
func fill(v reflect.Value, r *rand.Rand, depth int) {
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			if f := v.Field(i); f.CanSet() && v.Type().Field(i).Name != "Kind" {
				fill(f, r, depth+1)
			}
		}
	case reflect.Slice:
		if depth > 6 {
			return
		}
		s := reflect.MakeSlice(v.Type(), 2, 2)
		for i := range s.Len() {
			fill(s.Index(i), r, depth+1)
		}
		v.Set(s)
	case reflect.Map:
		m := reflect.MakeMap(v.Type())
		key, val := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		fill(key, r, depth+1)
		fill(val, r, depth+1)
		m.SetMapIndex(key, val)
		v.Set(m)
	case reflect.String:
		v.SetString("s" + string(rune('a'+r.IntN(26))))
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		v.SetInt(int64(r.IntN(100)) + 1)
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		v.SetUint(uint64(r.IntN(100)) + 1)
	case reflect.Float32, reflect.Float64:
		v.SetFloat(1.5)
	}
}

func TestEveryKindHasASample(t *testing.T) {
	have := map[Kind]bool{}
	for _, m := range samples() {
		have[m.WireKind()] = true
	}
	for _, i := range Kinds() {
		if !have[i.Kind] {
			t.Errorf("%s (%d) is missing in samples", i.Name, i.Kind)
		}
	}
}

// Every message comes back as it was sent, and its type may travel at all.
func TestMessagesRoundTrip(t *testing.T) {
	for _, m := range samples() {
		f := frameOf(t, m)
		if f.Kind != m.WireKind() {
			t.Errorf("%T came as %s", m, f.Kind)
		}
		got := reflect.New(reflect.TypeOf(m))
		if k := got.Elem().FieldByName("Kind"); k.IsValid() && k.Type() == reflect.TypeFor[Kind]() {
			k.Set(reflect.ValueOf(m.WireKind()))
		}
		if err := decodeAny(f, got); err != nil {
			t.Errorf("%T: %v", m, err)
		}
		if !reflect.DeepEqual(got.Elem().Interface(), m) {
			t.Errorf("%T:\nsent %+v\ngot  %+v", m, m, got.Elem().Interface())
		}
	}
}

// decodeAny is Decode for a type that is known only at run time.
func decodeAny(f Frame, into reflect.Value) error {
	s, err := shapeOf(into.Type().Elem())
	if err != nil {
		return err
	}
	return decodeShaped(f, s, into.Interface())
}

// A thousand results with everything in them, and a thousand small tasks, have
// to fit into one frame.
func TestBatchesFit(t *testing.T) {
	var rs Results
	for i := range MaxItems {
		rs.Items = append(rs.Items, Result{
			Lease: Lease{ID: task.ID(i + 1e6), Fence: task.Fence{Term: 9, Attempt: 3}},
			Exit:  task.Exit{Code: 1, Reason: task.ReasonLimitPrefix + "memory", Message: "killed: used more than 512 MiB of memory, which is its limit"},
			RanUs: 1 << 40, StartAgo: 1000, EndAgo: 1,
			Usage: task.Usage{CPU: 1e9, MaxRSS: 1 << 30}, Enforced: "landlock 4, seccomp, cgroup v2",
			Output: task.Output{Inline: make([]byte, 200), Bytes: 180},
		})
	}
	var got Results
	if err := Decode(frameOf(t, rs), &got); err != nil || len(got.Items) != MaxItems {
		t.Fatal(len(got.Items), err)
	}
	as := Assign{Term: 1}
	for i := range MaxItems {
		as.Items = append(as.Items, Assignment{ID: task.ID(i + 1), Fence: task.Fence{Term: 1, Attempt: 1}, Spec: task.Spec{
			Argv: []string{"/usr/bin/convert", "in.png", "-resize", "50%", "out.png"}, Tags: []string{"a", "b"}, Name: "thumbnail",
			Env: map[string]string{"A": "1", "B": "2", "LANG": "C.UTF-8"}, Need: task.Need{Labels: map[string]string{"os": "linux"}},
		}})
	}
	var back Assign
	if err := Decode(frameOf(t, as), &back); err != nil || len(back.Items) != MaxItems {
		t.Fatal(len(back.Items), err)
	}
}
