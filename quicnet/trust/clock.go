package trust

import "time"

// RenewGrace is how long after its end a certificate may still be renewed.
const RenewGrace = 60 * 24 * time.Hour

// certTime is the moment at which a peer's certificate is judged. Machines
// without a battery clock start in 1970 and must neither lock themselves out nor
// let an expired certificate in; and a clock that was ahead once must not keep
// others out for as long as it was ahead:
//
//   - a clock that is not behind floor (a moment that this node takes for past) is
//     taken as it is;
//   - so is one behind floor but past created, the beginning of the cluster, if the
//     certificate is good at it: then it may be floor that is from a wrong clock;
//   - otherwise the clock is wrong and floor is used, and a certificate that begins
//     after floor shows, signed by the cluster, that its beginning is past too.
func certTime(system, floor, created, notBefore, notAfter time.Time) time.Time {
	behind := system.Before(floor)
	good := !system.Before(notBefore) && !system.After(notAfter)
	switch {
	case !behind, good && !system.Before(created):
		return system
	case notBefore.After(floor):
		return notBefore
	}
	return floor
}

// Now is the moment by which a member issues and renews certificates: the
// system's clock, but the latest moment that the member knows to be past where
// the clock is behind the beginning of the cluster, which it cannot be.
func (m *Membership) Now(system time.Time) time.Time {
	if floor := m.Floor(); system.Before(m.root.NotBefore) && system.Before(floor) {
		return floor
	}
	return system
}

// RenewalDue reports whether a new certificate should be asked for: half of the
// time of this one is over, or it begins in the future because a clock was ahead
// when it was made.
func (m *Membership) RenewalDue(system time.Time) bool {
	at := m.Now(system)
	return !at.Before(m.RenewAt()) || at.Before(m.leaf.NotBefore)
}

// Ended reports whether the certificate has expired. For RenewGrace the cluster
// may still renew it.
func (m *Membership) Ended(system time.Time) bool {
	return m.Now(system).After(m.leaf.NotAfter)
}
