package dialog

import (
	"github.com/adauldev/octaskly/theme"
	"github.com/adauldev/octaskly/ui/part"
	"github.com/adauldev/octaskly/ui/screen/scene"
)

// themesBox chooses a theme; moving shows it at once.
type themesBox struct {
	names []string
	at    int
	was   *theme.Styles
}

func newThemes(view *scene.Scene) scene.Dialog {
	b := &themesBox{names: view.Options.Themes, was: view.Styles}
	if len(b.names) == 0 {
		b.names = theme.Names()[1:]
	}
	for i, n := range b.names {
		if n == view.Styles.Theme.Name {
			b.at = i
		}
	}
	return b
}

func (b *themesBox) In() scene.Ctx { return scene.InDialog }

func (b *themesBox) Act(view *scene.Scene, action scene.Action) {
	switch action {
	case "down", "pane.next", "right":
		b.show(view, b.at+1)
	case "up", "pane.back", "left":
		b.show(view, b.at-1)
	case "dialog.close":
		view.Styles = b.was
		view.Close(b)
	case "dialog.enter":
		view.Close(b)
		view.Emit(scene.SaveTheme{Name: b.names[b.at]})
		view.Say(theme.OK, "theme: "+b.names[b.at])
	}
}

func (b *themesBox) show(view *scene.Scene, i int) {
	b.at = (i + len(b.names)) % len(b.names)
	load := view.Options.Load
	if load == nil {
		load = func(n string) (theme.Theme, error) { return theme.Builtin(n, !view.Styles.Theme.Light) }
	}
	t, err := load(b.names[b.at])
	if err != nil {
		view.Say(theme.Err, err.Error())
		return
	}
	depth := view.Styles.Depth
	view.Styles = theme.NewStyles(t, depth, view.Styles.Glyphs.ASCII)
}

func (b *themesBox) Draw(view *scene.Scene, w, h int) []string {
	w = min(w, 46)
	iw := max(0, w-4)
	var lines []string
	for i, n := range b.names {
		l := part.NewLine(view.Styles, iw)
		if i == b.at {
			l.B(theme.Focus, view.Styles.Glyphs.Cursor+" ").Cell(theme.Text, n, 16, false)
			lines = append(lines, view.Styles.Row(l.String()))
			continue
		}
		lines = append(lines, l.Sp(2).Cell(theme.Muted, n, 16, false).String())
	}
	sample := part.NewLine(view.Styles, iw)
	for _, t := range []struct {
		tok  theme.Token
		text string
	}{{theme.OK, "done"}, {theme.Run, "running"}, {theme.Warn, "retry"}, {theme.Err, "failed"}, {theme.Lost, "lost"}} {
		sample.T(t.tok, t.text).Sp(2)
	}
	lines = append(lines, part.NewLine(view.Styles, iw).String(), sample.String())
	return part.Dialog{Title: "Theme", Lines: lines, Focus: -1}.Draw(view.Styles, w, h)
}

func (b *themesBox) Foot(*scene.Scene) []scene.Hint {
	return []scene.Hint{{Key: "up down", Text: "look at one"}, {Key: "enter", Text: "keep it"}, {Key: "esc", Text: "as it was"}}
}
