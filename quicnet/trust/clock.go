package trust

import "time"

// certTime is the moment at which a peer's certificate is judged. Machines
// without a battery clock start in 1970 and must neither lock themselves out nor
// let an expired certificate in:
//
//   - a clock behind floor (a moment known to be past) is wrong; floor is used;
//   - then a certificate that begins after floor shows, signed by the cluster,
//     that its beginning is past too, and is judged at its beginning.
//
// A clock that may be right is taken as it is.
func certTime(system, floor, notBefore time.Time) time.Time {
	if !system.Before(floor) {
		return system
	}
	if notBefore.After(floor) {
		return notBefore
	}
	return floor
}
