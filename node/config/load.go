package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/pelletier/go-toml/v2"

	"github.com/adauldev/octaskly/queue/task/text"
)

// maxFile is the largest configuration file that is read.
const maxFile = 1 << 20

// fileValues is what a file says: key to texts, with the line of each.
type fileValues struct {
	values map[string][]string
	line   map[string]int
	screen Screen
}

// readFile reads and parses a configuration file. A file that is not there is
// empty unless it must be.
func readFile(path string, must bool) (fileValues, error) {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) && !must {
		return fileValues{}, nil
	}
	if err != nil {
		return fileValues{}, fmt.Errorf("read configuration: %w", err)
	}
	if info.Size() > maxFile {
		return fileValues{}, fmt.Errorf("read configuration: %s has %d bytes; at most %d are read", path, info.Size(), maxFile)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return fileValues{}, fmt.Errorf("read configuration: %w", err)
	}
	return parseFile(path, data)
}

// parseFile reads TOML. Unknown keys are faults that name the nearest known
// one; all faults are reported at once.
func parseFile(path string, data []byte) (fileValues, error) {
	var doc map[string]any
	if err := toml.Unmarshal(data, &doc); err != nil {
		var at *toml.DecodeError
		if errors.As(err, &at) {
			row, col := at.Position()
			return fileValues{}, Faults{{Where: fmt.Sprintf("%s:%d:%d", path, row, col), Text: strings.TrimPrefix(at.Error(), "toml: ")}}
		}
		return fileValues{}, Faults{{Where: path, Text: err.Error()}}
	}
	out := fileValues{values: map[string][]string{}, line: map[string]int{}}
	var faults Faults
	for key, v := range doc {
		line := lineOf(data, key)
		where := fmt.Sprintf("%s:%d", path, line)
		if mine, wrong := out.screenSetting(path, data, key, v); mine {
			faults = append(faults, wrong...)
			continue
		}
		s := Find(key)
		if s == nil {
			faults = append(faults, Fault{Where: where, Text: unknownKey(key)})
			continue
		}
		texts, err := tomlTexts(s, v)
		if err != nil {
			faults = append(faults, Fault{Where: where, Text: fmt.Sprintf("%s: %v", key, err)})
			continue
		}
		out.values[key], out.line[key] = texts, line
	}
	if len(faults) > 0 {
		faults.sort()
		return fileValues{}, faults
	}
	return out, nil
}

// tomlTexts turns a value of the file into the texts a setting reads.
func tomlTexts(s *Setting, v any) ([]string, error) {
	switch v := v.(type) {
	case []any:
		if !s.List {
			return nil, errors.New("takes one value, not a list")
		}
		var out []string
		for _, e := range v {
			t, err := tomlText(e)
			if err != nil {
				return nil, err
			}
			out = append(out, t)
		}
		return out, nil
	case map[string]any:
		if s.Key != "label" {
			return nil, errors.New("takes one value, not a table")
		}
		var out []string
		for k, e := range v {
			t, err := tomlText(e)
			if err != nil {
				return nil, err
			}
			out = append(out, k+"="+t)
		}
		slices.Sort(out)
		return out, nil
	}
	t, err := tomlText(v)
	return []string{t}, err
}

func tomlText(v any) (string, error) {
	switch v := v.(type) {
	case string:
		return v, nil
	case bool:
		return strconv.FormatBool(v), nil
	case int64:
		return strconv.FormatInt(v, 10), nil
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64), nil
	}
	return "", fmt.Errorf("takes text, a number or true/false, not %T", v)
}

// lineOf finds where a top-level key is written; 1 if it cannot be found.
func lineOf(data []byte, key string) int {
	re, err := regexp.Compile(`(?m)^[ \t]*\[?["']?` + regexp.QuoteMeta(key) + `["']?[ \t]*(=|\.|\])`)
	if err != nil {
		return 1
	}
	at := re.FindIndex(data)
	if at == nil {
		return 1
	}
	return 1 + strings.Count(string(data[:at[0]]), "\n")
}

// unknownKey says that nothing is called so, and what may have been meant.
func unknownKey(key string) string {
	t := fmt.Sprintf("there is no setting %q", key)
	if near := text.Nearest(key, keys()); near != "" {
		t += fmt.Sprintf("; did you mean %q?", near)
	}
	return t
}

func keys() []string {
	out := make([]string, 0, len(settings))
	for _, s := range settings {
		out = append(out, s.Key)
	}
	return append(out, "theme", "keys")
}
