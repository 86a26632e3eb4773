package config

import (
	"cmp"
	"fmt"
	"net"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/queue/task/text"
)

// Fault is one thing that is wrong with a configuration.
type Fault struct {
	Where string // the flag, the variable, or the file and line
	Text  string
}

// String is the fault in one line.
func (f Fault) String() string {
	if f.Where == "" {
		return f.Text
	}
	return f.Where + ": " + f.Text
}

// Faults is everything that is wrong, one line each.
type Faults []Fault //nolint:errname // one name for what is read and what is returned

// Error lists all faults.
func (f Faults) Error() string {
	lines := make([]string, len(f))
	for i, e := range f {
		lines[i] = e.String()
	}
	return strings.Join(lines, "\n")
}

func (f Faults) sort() {
	slices.SortStableFunc(f, func(a, b Fault) int { return cmp.Compare(a.Where, b.Where) })
}

// check says what is wrong with the values as they stand together.
func (l *Loaded) check() Faults {
	var f Faults
	bad := func(key, format string, a ...any) {
		f = append(f, Fault{Where: where(key, l.From(key)), Text: fmt.Sprintf(format, a...)})
	}
	for _, key := range []string{"name", "id"} {
		if why := BadName(Find(key).Text(&l.Config)[0]); why != "" {
			bad(key, "%s", why)
		}
	}
	for key, port := range map[string]int{"port": l.Port, "discovery-port": l.DiscoveryPort, "dispatcher-port": l.DispatcherPort} {
		least := 1
		if key == "dispatcher-port" || key == "port" {
			least = 0
		}
		if port < least || port > 65535 {
			bad(key, "%d is not a port; ports are 1 to 65535", port)
		}
	}
	if l.Dispatcher != "" {
		if why := badHostPort(l.Dispatcher); why != "" {
			bad("dispatcher", "%s", why)
		}
	}
	for _, b := range l.Bind {
		if b == "" || strings.ContainsFunc(b, unicode.IsControl) || strings.ContainsAny(b, " /") {
			bad("bind", "%q is neither an address nor an interface name", b)
		}
	}
	for key, paths := range map[string][]string{"allow-dir": l.AllowDir, "allow-read": l.AllowRead} {
		for _, path := range paths {
			if !filepath.IsAbs(path) {
				bad(key, "%q is not an absolute path", path)
			}
		}
	}
	for key, n := range map[string]int64{
		"max-workers": int64(l.MaxWorkers), "gpus": int64(l.GPUs), "memory": l.Memory,
	} {
		if n < 0 {
			bad(key, "%d is below 0", n)
		}
	}
	if l.MaxQueueSize < 1 {
		bad("max-queue-size", "%d is below 1: no task could be submitted", l.MaxQueueSize)
	}
	for key, n := range map[string]int64{"output-quota": l.OutputQuota, "task-output-quota": l.TaskOutputQuota} {
		if n < 1 || n > 1<<33 {
			bad(key, "%d MiB is not a quota: at least 1 MiB is kept", n)
		}
	}
	if !(l.CPUCores >= 0 && l.CPUCores <= 1<<20) {
		bad("cpu-cores", "%v is not a number of CPUs", l.CPUCores)
	}
	if l.MaxJobs > 1<<20 {
		bad("max-jobs", "%d is more than any machine can run at once", l.MaxJobs)
	}
	for k, v := range l.Labels {
		if why := badLabel(k, v); why != "" {
			bad("label", "%s", why)
		}
	}
	l.checkWords(bad)
	if l.API != "off" {
		if why := badHostPort(l.API); why != "" {
			bad("api", "%s; write ADDRESS:PORT or off", why)
		} else if !isLoopback(l.APIAddress()) {
			bad("api", "%s is reached from other machines, and REST is not encrypted yet; listen on 127.0.0.1 and forward the port, by ssh say", l.API)
		}
	}
	if l.Secret != "" && l.SecretFile != "" && l.From("secret").Kind == l.From("secret-file").Kind {
		bad("secret-file", "the secret is given twice, also by %s; give one", where("secret", l.From("secret")))
	}
	f.sort()
	return f
}

// checkWords checks the settings that take one word of a few.
func (l *Loaded) checkWords(bad func(key, format string, a ...any)) {
	for key, words := range map[string][]string{
		"sandbox-level": task.SandboxLevels,
		"log-level":     {"debug", "info", "warn", "error"},
		"log-format":    {"text", "json"},
	} {
		have := Find(key).Text(&l.Config)[0]
		if slices.Contains(words, have) {
			continue
		}
		t := fmt.Sprintf("%q is not one of %s", have, strings.Join(words, ", "))
		if near := text.Nearest(have, words); near != "" {
			t += fmt.Sprintf("; did you mean %q?", near)
		}
		bad(key, "%s", t)
	}
}

// maxName is the longest name of a node, in bytes.
const maxName = 63

// BadName says what is wrong with a node's name or label, or is empty.
func BadName(name string) string {
	switch {
	case len(name) > maxName:
		return fmt.Sprintf("a name has at most %d bytes, this one %d", maxName, len(name))
	case strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) || r == unicode.ReplacementChar }):
		return fmt.Sprintf("the name %q has characters that cannot be printed", name)
	case strings.TrimSpace(name) != name:
		return fmt.Sprintf("the name %q begins or ends with a space", name)
	}
	return ""
}

func badLabel(k, v string) string {
	if len(k) > maxName || len(v) > maxName {
		return fmt.Sprintf("label %q is longer than %d bytes", k, maxName)
	}
	if strings.ContainsFunc(k+v, func(r rune) bool { return !unicode.IsPrint(r) || r == unicode.ReplacementChar }) {
		return fmt.Sprintf("label %q has characters that cannot be printed", k+"="+v)
	}
	if k == "os" || k == "arch" || k == "host" {
		return fmt.Sprintf("label %q is set by the node itself", k)
	}
	return ""
}

// badHostPort says what is wrong with HOST or HOST:PORT, or is empty.
func badHostPort(t string) string {
	host, port, err := SplitHostPort(t)
	switch {
	case err != nil:
		return err.Error()
	case host == "" || strings.ContainsFunc(host, func(r rune) bool { return !unicode.IsPrint(r) || r == ' ' || r == '/' }):
		return fmt.Sprintf("%q names no host", t)
	case port < 0 || port > 65535:
		return fmt.Sprintf("%d is not a port; ports are 1 to 65535", port)
	}
	return ""
}

// SplitHostPort splits HOST[:PORT]; the port is 0 if there is none. An IPv6
// address may stand with or without brackets.
func SplitHostPort(t string) (host string, port int, err error) {
	if ip := net.ParseIP(strings.Trim(t, "[]")); ip != nil {
		return ip.String(), 0, nil
	}
	if !strings.Contains(t, ":") {
		return t, 0, nil
	}
	host, p, err := net.SplitHostPort(t)
	if err != nil {
		return "", 0, fmt.Errorf("%q is not HOST or HOST:PORT", t)
	}
	port, err = strconv.Atoi(p)
	if err != nil {
		return "", 0, fmt.Errorf("%q in %q is not a port; ports are 1 to 65535", p, t)
	}
	return host, port, nil
}

// defaultAPIPort is where REST listens when an address has no port.
const defaultAPIPort = "3000"

// APIAddress is the address of REST with its port.
func (c *Config) APIAddress() string {
	if _, _, err := net.SplitHostPort(c.API); err == nil {
		return c.API
	}
	return net.JoinHostPort(strings.Trim(c.API, "[]"), defaultAPIPort)
}

// isLoopback reports whether only this machine reaches an address.
func isLoopback(hostPort string) bool {
	host, _, err := net.SplitHostPort(hostPort)
	ip := net.ParseIP(host)
	return err == nil && (host == "localhost" || ip != nil && ip.IsLoopback())
}
