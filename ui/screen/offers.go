package screen

import (
	"time"

	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/theme"
	"github.com/adauldev/octaskly/ui/part"
	"github.com/adauldev/octaskly/ui/screen/dialog"
)

// Offered tells which cluster wants this node; the zero Offer says that it is
// over. The question comes up as soon as nothing else takes keys.
func (m *Model) Offered(o control.Offer, at time.Time) {
	old := m.offer
	m.offer = o
	if old.ID != 0 && old.ID != o.ID && m.closeOffer(old.ID) {
		words := "the question of " + part.Clean(old.By) + " is over: it gave up, or was answered elsewhere"
		if at.UnixMilli() >= old.Until-time.Second.Milliseconds() {
			words = "nobody answered " + part.Clean(old.By) + ": that is a no, and it was told so"
		}
		m.view.Say(theme.Warn, words)
	}
	m.raise(at)
}

// closeOffer takes away the dialog about an offer, if it is there.
func (m *Model) closeOffer(id uint64) bool {
	for _, o := range m.view.Dialogs {
		if d, ok := o.(*dialog.OfferDialog); ok && d.Offer.ID == id {
			m.view.Close(d)
			return true
		}
	}
	return m.raised != id
}

// raise opens the dialog about an offer unless something else takes keys.
func (m *Model) raise(at time.Time) {
	if m.offer.ID == 0 || m.raised == m.offer.ID || len(m.view.Dialogs) > 0 || m.find != nil {
		return
	}
	m.raised, m.openedAt = m.offer.ID, at
	m.view.Open(dialog.NewOffer(m.offer))
}

// waitingOffer says whose offer cannot come up yet.
func (m *Model) waitingOffer() (string, bool) {
	if m.offer.ID == 0 || m.raised == m.offer.ID {
		return "", false
	}
	return part.Clean(m.offer.By), true
}
