package demo

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"

	"github.com/adauldev/octaskly/queue/task"
)

// job is a kind of task: how long it takes, how it ends, what it prints.
type job struct {
	weight  int
	name    string
	tags    []string
	need    task.Need
	retries int
	mean    float64 // seconds
	fails   float64 // share
	lines   int
	command func(n uint32) string
	line    func(n uint32, k, of int) (stream uint8, text string)
}

var jobs = []job{
	{
		weight: 5, name: "encode", tags: []string{"media", "batch"}, need: task.Need{CPU: 1000, MemoryMB: 1024}, retries: 3, mean: 22, fails: 0.01, lines: 320,
		command: func(n uint32) string {
			return fmt.Sprintf("ffmpeg -i s%02de%02d.mkv -c:v libsvtav1 -crf 30 out%04d.mp4", n/24%9+1, n%24+1, n%10000)
		},
		line: func(n uint32, k, of int) (uint8, string) {
			head := []string{
				"ffmpeg version 7.1 Copyright (c) 2000-2026 the FFmpeg developers", "Stream #0:0 -> #0:0 (hevc (native) -> av1 (libsvtav1))",
				"Press [q] to stop, [?] for help", "[libsvtav1 @ 0x55d] SVT [config]: preset 8, crf 30",
			}
			if k < len(head) {
				return 2, head[k]
			}
			if k == 7 {
				return 2, "\x1b[33mdeprecated pixel format used, make sure range is set correctly\x1b[0m"
			}
			return 1, fmt.Sprintf("frame=%5d fps= %d q=30.0 size=%8dkB time=00:%02d:%02d.%d speed=2.6x", k*31, 58+k%6, k*128, k/40, k*13/10%60, k%10)
		},
	},
	{
		weight: 6, name: "build", tags: []string{"ci"}, mean: 5, fails: 0.03, retries: 0, lines: 120,
		command: func(n uint32) string {
			return fmt.Sprintf("make -C build/%s -j4 test", [4]string{"core", "net", "ui", "tools"}[n%4])
		},
		line: func(n uint32, k, of int) (uint8, string) {
			return 1, fmt.Sprintf("\x1b[32m[%3d%%]\x1b[0m Building CXX object src/CMakeFiles/%s.dir/%s.cc.o", (k+1)*100/of,
				[4]string{"core", "net", "ui", "tools"}[n%4], [6]string{"graph", "parse", "lexer", "queue", "render", "socket"}[(int(n)+k)%6])
		},
	},
	{
		weight: 6, name: "pytest", tags: []string{"ci"}, mean: 2, fails: 0.05, retries: 1, lines: 40,
		command: func(n uint32) string {
			return fmt.Sprintf("pytest -q tests/test_%s.py --shard %d/32", [5]string{"api", "auth", "billing", "search", "sync"}[n%5], n%32+1)
		},
		line: func(n uint32, k, of int) (uint8, string) {
			return 1, fmt.Sprintf("tests/test_api.py::test_case_%03d PASSED %*s[%3d%%]", k, 24, "", (k+1)*100/of)
		},
	},
	{
		weight: 9, name: "thumb", tags: []string{"media"}, mean: 0.5, fails: 0.01, lines: 3,
		command: func(n uint32) string { return fmt.Sprintf("convert photos/%05d.cr3 -resize 1600x out/%05d.webp", n, n) },
		line: func(n uint32, k, of int) (uint8, string) {
			return 1, [3]string{"reading camera profile", "resizing 6000x4000 to 1600x1067", "wrote 212 kB"}[min(k, 2)]
		},
	},
	{
		weight: 2, name: "render", tags: []string{"film"}, need: task.Need{CPU: 1000, MemoryMB: 2048}, mean: 40, fails: 0.02, retries: 2, lines: 200,
		command: func(n uint32) string {
			return fmt.Sprintf("blender -b shot_%03d.blend -f %d -o //frames/", n%40+1, n%240+1)
		},
		line: func(n uint32, k, of int) (uint8, string) {
			return 1, fmt.Sprintf("Fra:%d Mem:%dM (Peak 811M) | Time:00:%02d.%02d | Rendered %d/%d Tiles", n%240+1, 590+k%40, k/2%60, k*7%100, k, of)
		},
	},
	{
		weight: 1, name: "backup", tags: []string{"nightly"}, mean: 60, fails: 0.03, retries: 2, lines: 180,
		command: func(n uint32) string { return fmt.Sprintf("rsync -a --stats /srv/vol%d/ nas:/backup/vol%d/", n%6, n%6) },
		line: func(n uint32, k, of int) (uint8, string) {
			return 1, fmt.Sprintf("%13d  %3d%%  %5.1fMB/s    0:%02d:%02d", int64(k+1)*536870912, (k+1)*100/of, 88+float64(k%17), (of-k)/60%60, (of-k)%60)
		},
	},
	{
		weight: 3, name: "crawl", tags: []string{"data"}, mean: 6, fails: 0.04, retries: 1, lines: 60,
		command: func(n uint32) string { return fmt.Sprintf("python3 crawl.py --part %d --of 4096", n%4096) },
		line: func(n uint32, k, of int) (uint8, string) {
			if k%19 == 11 {
				return 2, fmt.Sprintf("WARNING slow answer from host-%02d (2.%ds), backing off", k%40, k%10)
			}
			return 1, fmt.Sprintf("fetched part %d page %d: %d links, %d new", n%4096, k+1, 40+k*7%60, k*3%17)
		},
	},
}

var jobWeights = func() (sum int) {
	for _, j := range jobs {
		sum += j.weight
	}
	return sum
}()

func (f *Fleet) pickJob() uint8 {
	x := f.rng.IntN(jobWeights)
	for i, j := range jobs {
		if x -= j.weight; x < 0 {
			return uint8(i)
		}
	}
	return 0
}

// duration is how long one run takes, in ms.
func (j *job) duration(r *rand.Rand) int64 {
	d := j.mean * math.Exp(0.35*r.NormFloat64())
	return int64(math.Min(d, 3600)*1000) + 30
}

func (j *job) outcome(r *rand.Rand) (task.State, int16) {
	x := r.Float64()
	switch {
	case x < j.fails:
		return task.Failed, int16([3]int{1, 2, 137}[r.IntN(3)])
	case x < j.fails+0.0006:
		return task.Timeout, 124
	case x < j.fails+0.0012:
		return task.Cancelled, 143
	case x < j.fails+0.0014:
		return task.Lost, 0
	}
	return task.Done, 0
}

// What a person submitted is not run; a few commands behave as expected.

func ownWords(sp *task.Spec) []string {
	if sp.Shell != "" {
		return strings.Fields(sp.Shell)
	}
	return sp.Argv
}

func ownDuration(sp *task.Spec) int64 {
	w := ownWords(sp)
	if len(w) > 0 && w[0] == "yes" {
		return int64(time.Hour / time.Millisecond)
	}
	if len(w) > 1 && w[0] == "sleep" {
		if s, err := strconv.ParseFloat(strings.TrimSuffix(w[1], "s"), 64); err == nil && s >= 0 && s < 86400 {
			return int64(s * 1000)
		}
	}
	return 400
}

func ownOutcome(sp *task.Spec) (task.State, int16) {
	w := ownWords(sp)
	if len(w) > 0 && w[0] == "false" {
		return task.Failed, 1
	}
	if len(w) > 1 && w[0] == "exit" {
		if n, err := strconv.Atoi(w[1]); err == nil && n > 0 && n < 256 {
			return task.Failed, int16(n)
		}
	}
	return task.Done, 0
}

func ownOutput(sp *task.Spec, host string) []string {
	w := ownWords(sp)
	if len(w) > 0 && w[0] == "echo" {
		text := strings.Join(w[1:], " ")
		for _, name := range []string{"$(hostname)", "%COMPUTERNAME%", "$HOSTNAME"} {
			text = strings.ReplaceAll(text, name, host)
		}
		return []string{strings.Trim(text, `"'`)}
	}
	return []string{"(demo: " + strings.Join(w, " ") + " was not run)"}
}

func (f *Fleet) specOf(id task.ID, r *rec) task.Spec {
	if sp := f.own[id]; sp != nil {
		return *sp
	}
	j := &jobs[r.job]
	return task.Spec{
		Shell: j.command(uint32(id)), Name: j.name, Tags: j.tags, Need: j.need, Retries: int32(j.retries),
		Priority: task.PriorityNormal, Timeout: 10 * time.Minute,
	}
}

func (f *Fleet) needOf(id task.ID) task.Need {
	if sp := f.own[id]; sp != nil {
		return sp.Need
	}
	return task.Need{}
}
