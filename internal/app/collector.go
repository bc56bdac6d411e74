package app

import (
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"sync/atomic"
	"time"
)

// A collection costs what is alive, and comes when the heap has grown by its room.
// Go's default room, the size of what is alive, is little for a gateway that works
// (it holds little and allocates much: a heap of 4 MB was collected dozens of times
// a second, a sixth of its time) and much for one that holds thousands of streams
// which wait (nothing is allocated, and their garbage stays). So the room is what
// is allocated in a span of time that makes the cost small.
const (
	shortest  = 100 * time.Millisecond // between two collections of a small heap
	perSecond = 50 << 20               // of a large one, so much is looked at in a second
	leastRoom = 6 << 20
	mostRoom  = 24 << 20
)

// heapRoom is by how much a heap of so many bytes, of which so many are allocated
// in a second, may grow before it is collected again.
func heapRoom(size, rate int64) int64 {
	span := max(shortest, time.Duration(size*int64(time.Second)/perSecond))
	room := int64(float64(rate) * span.Seconds())
	return min(max(room, leastRoom, size/8), max(mostRoom, size/2))
}

// collector gives the heap its room.
type collector struct {
	stopped   atomic.Bool
	sizes     []metrics.Sample
	allocated []metrics.Sample
	percent   int64

	last  time.Time // the collection before
	until int64     // bytes allocated until then
	rate  int64     // bytes a second
}

// paceCollector sets the pace of garbage collection until the returned function
// is called. GOGC, if set, is obeyed instead.
func paceCollector(env Env) (stop func()) {
	if s, ok := env("GOGC"); ok && s != "" {
		return func() {}
	}
	c := &collector{
		sizes: []metrics.Sample{
			{Name: "/gc/heap/live:bytes"}, {Name: "/gc/scan/stack:bytes"}, {Name: "/gc/scan/globals:bytes"},
		},
		allocated: []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}},
		last:      time.Now(),
	}
	c.until = sum(c.allocated)
	before := debug.SetGCPercent(defaultPercent)
	c.give(mostRoom) // a start is not collected
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
			c.collected()
			c.again()
		}
	}, c)
}

// collected learns from a collection how much is allocated. What was fast before may
// be so again: it is forgotten by and by.
func (c *collector) collected() {
	now, all := time.Now(), sum(c.allocated)
	d := max(now.Sub(c.last), time.Millisecond)
	c.rate = max(int64(float64(all-c.until)/d.Seconds()), c.rate/4)
	c.last, c.until = now, all
	c.give(heapRoom(c.size(), c.rate))
}

// give lets the heap grow by so much.
func (c *collector) give(room int64) {
	want := room * 100 / c.size()
	if d := want - c.percent; d > c.percent/8 || -d > c.percent/8 { // each change stops the world for a moment
		c.percent = want
		debug.SetGCPercent(int(want))
	}
}

// size is what Go takes the room's percentage of.
func (c *collector) size() int64 { return max(sum(c.sizes), leastHeap) }

func sum(s []metrics.Sample) (n int64) {
	metrics.Read(s)
	for i := range s {
		if s[i].Value.Kind() == metrics.KindUint64 {
			n += int64(s[i].Value.Uint64())
		}
	}
	return n
}
