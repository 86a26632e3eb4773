//go:build !race

package quicnet_test

const raceDetector = false
