//go:build race

package sock

// The race detector learns from the standard library's calls what happened
// before what. It cannot learn it from ours, so they are not made.
const direct = false
