package telemetry

import (
	"maps"
	"strings"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/aratta-gateway/aratta/scri"
)

// To find a series by its labels takes longer than to count, so those of one
// kind of request, of attempt and of stream are found once.

type requestKind struct{ ingress, op, alias, provider, outcome string }

type requestSeries struct {
	ended  prometheus.Counter
	took   one[prometheus.Observer]
	warned [len(warningCodes)]one[prometheus.Counter]
}

// warningCodes are those of warnings, and what any other counts as.
var warningCodes = [...]string{scri.WarnDropped, scri.WarnChanged, scri.WarnEmulated, scri.WarnAdded, other}

// tokenKinds are those of a usage.
var tokenKinds = [...]string{"input", "output", "cache_read", "cache_write", "reasoning"}

type attemptKind struct{ provider, zone, alias, outcome string }

type attemptSeries struct {
	ended   prometheus.Counter
	fell    one[prometheus.Counter]
	first   one[prometheus.Observer]
	dollars one[prometheus.Counter]
	tokens  [len(tokenKinds)]one[prometheus.Counter]
}

// streamKind is the ingress of a stream.
type streamKind string

type streamSeries struct{ begun, ended func() }

// one is a series that is found when it is first needed: one that nothing is
// counted in is not shown.
type one[S any] struct{ p atomic.Pointer[S] }

func (o *one[S]) get(find func() S) S {
	if s := o.p.Load(); s != nil {
		return *s
	}
	s := find()
	o.p.Store(&s)
	return s
}

// key is what a table goes by. A name in it may lie in the memory of a request.
type key[K any] interface {
	comparable
	clone() K
}

func (k requestKind) clone() requestKind {
	k.alias = strings.Clone(k.alias)
	return k
}

func (k attemptKind) clone() attemptKind {
	k.alias = strings.Clone(k.alias)
	return k
}

func (k streamKind) clone() streamKind { return streamKind(strings.Clone(string(k))) }

// table holds what was found. It is copied to be changed: kinds are few, and
// after the first minutes no new ones come.
type table[K key[K], V any] struct{ m atomic.Pointer[map[K]*V] }

func (t *table[K, V]) get(k K, find func(K) *V) *V {
	for {
		old := t.m.Load()
		if old != nil {
			if v, ok := (*old)[k]; ok {
				return v
			}
		}
		next := map[K]*V{}
		if old != nil {
			maps.Copy(next, *old)
		}
		k = k.clone()
		v := find(k)
		next[k] = v
		if t.m.CompareAndSwap(old, &next) {
			return v
		}
	}
}
