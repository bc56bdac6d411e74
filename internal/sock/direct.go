//go:build !race

package sock

// direct says whether calls are made directly.
const direct = true
