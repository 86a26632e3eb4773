// Package discover finds where other nodes might be. It yields candidate
// addresses and never trust: everything in a Sighting is an unproved hint, and
// the worst that a false one costs is a failed dial.
//
// Four rungs work at the same time and any one suffices: addresses that were
// given or remembered, DNS service discovery by multicast, a broadcast probe of
// our own, and what peers tell each other. A rung that fails is a Fact to show,
// never an error.
package discover
