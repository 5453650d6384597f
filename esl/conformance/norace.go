//go:build !race

package conformance

// raceDetector says whether the test is built with -race.
const raceDetector = false
