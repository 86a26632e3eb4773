package task

// Size is about how many bytes a task takes on the wire and in the store, from
// above: everything it carries is counted, also what is secret. It is the one
// estimate by which messages, commands and pages are cut.
func (s *Spec) Size() int {
	n := 16 + sizeOfText(s.Shell) + sizeOfTexts(s.Argv) + sizeOfText(s.Name) + sizeOfTexts(s.Tags) + sizeOfText(s.Dir) +
		sizeOfMap(s.Env) + sizeOfMap(s.Secrets) + sizeOfText(string(s.Stdin)) + sizeOfText(s.StdinRef) + s.Need.Size()
	if len(s.RetryOn) > 0 {
		n += sizeOfNumber + len(s.RetryOn)*5
	}
	for _, set := range [...]bool{
		s.Null, s.Timeout != 0, s.Grace != 0, s.Retries != 0, s.Backoff != 0, s.Delivery != 0, s.Keep, s.RetryOf != 0,
	} {
		if set {
			n += sizeOfNumber
		}
	}
	return n
}

// Size is Spec.Size for the need alone.
func (n *Need) Size() int {
	size := 16 + sizeOfMap(n.Labels) + sizeOfText(n.On) + sizeOfText(n.Sandbox)
	for _, set := range [...]bool{n.CPU != 0, n.MemoryMB != 0, n.DiskMB != 0, n.GPUs != 0} {
		if set {
			size += sizeOfNumber
		}
	}
	if n.Limits != (Limits{}) {
		size += 4 * sizeOfNumber
	}
	return size
}

// Size is about how many bytes a task with all its attempts takes on the wire,
// from above.
func (t *Task) Size() int {
	n := 80 + t.Spec.Size() + len(t.Key) + len(t.By)
	for i := range t.Attempts {
		n += t.Attempts[i].Size()
	}
	return n
}

// Size is about how many bytes an attempt takes on the wire, from above.
func (a *Attempt) Size() int {
	return 240 + len(a.Node) + len(a.Exit.Reason) + len(a.Exit.Message) + len(a.Enforced) + len(a.Output.Inline) + len(a.Output.SHA256)
}

const (
	sizeOfField  = 2 // a key of one letter
	sizeOfHead   = 5 // of a text, a list or a map
	sizeOfNumber = sizeOfField + 9
)

func sizeOfText(s string) int {
	if s == "" {
		return 0
	}
	return sizeOfField + sizeOfHead + len(s)
}

func sizeOfTexts(list []string) int {
	if len(list) == 0 {
		return 0
	}
	n := sizeOfField + sizeOfHead
	for _, s := range list {
		n += sizeOfHead + len(s)
	}
	return n
}

func sizeOfMap[V string | []byte](m map[string]V) int {
	if len(m) == 0 {
		return 0
	}
	n := sizeOfField + sizeOfHead
	for k, v := range m {
		n += 2*sizeOfHead + len(k) + len(v)
	}
	return n
}
