package app

import (
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"sync/atomic"
)

const (
	// heapRoom is by how much a small heap may grow before it is collected again.
	// A gateway holds little and allocates much: with Go's default it collected a
	// heap of 4 MB dozens of times a second, which was a sixth of its time.
	heapRoom = 20 << 20
	// largePercent is by how much a large one may. What makes it large is
	// streams, thousands of them, which wait most of the time and allocate nothing.
	largePercent = 50
)

// collector gives a small heap its room, and a large one less than Go's default.
type collector struct {
	stopped atomic.Bool
	sizes   []metrics.Sample
	percent int64
}

// paceCollector sets the pace of garbage collection until the returned function
// is called. GOGC, if set, is obeyed instead.
func paceCollector(env Env) (stop func()) {
	if s, ok := env("GOGC"); ok && s != "" {
		return func() {}
	}
	c := &collector{sizes: []metrics.Sample{
		{Name: "/gc/heap/live:bytes"}, {Name: "/gc/scan/stack:bytes"}, {Name: "/gc/scan/globals:bytes"},
	}}
	before := debug.SetGCPercent(defaultPercent)
	c.adjust()
	c.again()
	return func() {
		c.stopped.Store(true)
		debug.SetGCPercent(before)
	}
}

const (
	defaultPercent = 100
	leastHeap      = 4 << 20 // the runtime's own smallest heap at 100 percent; it grows with the percentage
)

// again adjusts the pace after the next collection: one that finds nobody who
// holds a mark runs its cleanup.
func (c *collector) again() {
	mark := new([16]byte)
	runtime.AddCleanup(mark, func(c *collector) {
		if !c.stopped.Load() {
			c.adjust()
			c.again()
		}
	}, c)
}

func (c *collector) adjust() {
	metrics.Read(c.sizes)
	size := uint64(0)
	for i := range c.sizes {
		if c.sizes[i].Value.Kind() == metrics.KindUint64 {
			size += c.sizes[i].Value.Uint64()
		}
	}
	size = max(size, leastHeap)
	want := max(heapRoom*100/int64(size), largePercent)
	if d := want - c.percent; d > c.percent/8 || -d > c.percent/8 { // each change stops the world for a moment
		c.percent = want
		debug.SetGCPercent(int(want))
	}
}
