package worker

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/adauldev/octaskly/queue/task"
)

// termFiles hold the highest term that was obeyed, each with its own checksum.
// A worker that forgot it would obey a dispatcher that was replaced, so one of
// them may be damaged, but not both.
var termFiles = []string{"term", "term.copy"}

func formatTerm(t uint64) []byte {
	n := strconv.FormatUint(t, 10)
	sum := sha256.Sum256([]byte(n))
	return []byte(n + " " + hex.EncodeToString(sum[:8]) + "\n")
}

func parseTerm(b []byte) (uint64, error) {
	n, _, _ := strings.Cut(string(b), " ")
	t, err := strconv.ParseUint(n, 10, 64)
	if err != nil || string(formatTerm(t)) != string(b) {
		return 0, errors.New("damaged")
	}
	return t, nil
}

// loadTerm reads the term back. A file that is damaged or missing beside a good
// one is made anew, with a warning; without a good one it is refused.
func (s *spool) loadTerm(log *slog.Logger) error {
	var good, missing int
	for _, name := range termFiles {
		b, err := os.ReadFile(filepath.Join(s.dir, name))
		if errors.Is(err, fs.ErrNotExist) {
			missing++
			continue
		}
		if err != nil {
			return fmt.Errorf("read which dispatcher was obeyed: %w", err)
		}
		if t, err := parseTerm(b); err == nil {
			s.term = max(s.term, t)
			good++
		}
	}
	switch {
	case missing == len(termFiles), good == len(termFiles):
		return nil
	case good == 0:
		return task.Errorf(task.KindCorrupt, "the record of which dispatcher this worker obeyed last is damaged: %s", filepath.Join(s.dir, "term*")).
			WithHint("without it a replaced dispatcher could be obeyed; if there was never more than one, remove these files and start again")
	}
	log.Warn("the record of which dispatcher was obeyed last was damaged; its copy is used", "dir", s.dir, "term", s.term)
	return s.saveTerm(s.term)
}

// saveTerm remembers the highest term that was obeyed.
func (s *spool) saveTerm(t uint64) error {
	for _, name := range termFiles {
		if err := writeSynced(filepath.Join(s.dir, name), formatTerm(t)); err != nil {
			return err
		}
	}
	return nil
}
