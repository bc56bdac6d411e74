package overlay

import (
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Set is overlays that hold together: of one id the strongest (see [Origin]),
// in the order in which they act: built-in ones, healed ones, people's. It is
// immutable.
type Set struct {
	shelf   *shelf // built-in ones that are not in the list; nil = none
	list    []*Overlay
	expires bool
	trees   *sync.Pool
}

// NewSet makes a set. Of overlays with the same id the stronger origin counts, of
// one origin the later.
func NewSet(list ...*Overlay) *Set {
	s := &Set{trees: &sync.Pool{New: func() any { return new(tree) }}}
	for _, o := range list {
		i := slices.IndexFunc(s.list, func(p *Overlay) bool { return p.ID == o.ID })
		switch {
		case i < 0:
			s.list = append(s.list, o)
		case strength(o.Origin) >= strength(s.list[i].Origin):
			s.list[i] = o
		}
	}
	slices.SortStableFunc(s.list, func(a, b *Overlay) int { return strength(a.Origin) - strength(b.Origin) })
	for _, o := range s.list {
		s.expires = s.expires || !o.Expires.IsZero()
	}
	return s
}

// WithBuiltins makes a set in which the built-in overlays act too, where an entry
// refers to them. All does not list them.
func WithBuiltins(list ...*Overlay) *Set {
	s := NewSet(list...)
	s.shelf = newShelf()
	return s
}

func strength(o Origin) int {
	switch o {
	case Builtin:
		return 0
	case Healed:
		return 1
	default:
		return 2
	}
}

// All lists the overlays of the set, those not in force included.
func (s *Set) All() []*Overlay {
	if s == nil {
		return nil
	}
	return s.list
}

// of lists the overlays that may be for a target.
func (s *Set) of(t *Target) []*Overlay {
	if s == nil {
		return nil
	}
	return s.shelf.of(t, s.list)
}

// inForce reports whether an overlay may act at all.
func (o *Overlay) inForce(now time.Time) bool {
	return !o.Disabled && !o.Waits() && !o.Expired(now)
}

// BaseURL is the address that takes the place of a provider's, and the overlays
// that say so.
func (s *Set) BaseURL(t Target, now time.Time) (string, []string) {
	var names []string
	for _, o := range s.of(&t) {
		if !o.inForce(now) || !o.fits(&t) {
			continue
		}
		for _, st := range o.steps {
			if st.base != nil && st.fits(&t) && baseFits(st.base.from, t.BaseURL) {
				t.BaseURL = st.base.to
				names = append(names, o.Name())
			}
		}
	}
	return t.BaseURL, names
}

// For narrows the set to what is in force for a target: nil, if nothing is.
func (s *Set) For(t Target, now time.Time) *Plan { return s.plan(t, now, nil) }

func (s *Set) plan(t Target, now time.Time, mem *memory) *Plan {
	p := &Plan{target: t, set: s, mem: mem}
	for _, o := range s.of(&t) {
		if !o.inForce(now) || !o.fits(&t) || !o.Match.models.fit(t.Model) {
			continue
		}
		pl := planned{o: o, facts: p.facts}
		for _, st := range o.steps {
			if st.base == nil && st.name != "none" && st.fits(&t) {
				pl.add(st)
			}
		}
		if pl.empty() {
			continue
		}
		p.facts += len(o.facts)
		p.list = append(p.list, pl)
		p.names = append(p.names, o.Name())
		p.note(&pl)
	}
	if len(p.list) == 0 {
		return nil
	}
	p.gatherHeaders()
	if p.mem == nil {
		p.mem = newMemory()
	}
	return p
}

// planned is one overlay with those of its steps that fit the target.
type planned struct {
	o        *Overlay
	facts    int // where its facts begin
	request  []*step
	response []*step
	stream   []*step
	echoes   []*step
	undo     []*step
}

func (pl *planned) add(st *step) {
	switch st.at {
	case AtResponse:
		pl.response = append(pl.response, st)
	case AtStream:
		pl.stream = append(pl.stream, st)
	default:
		pl.request = append(pl.request, st)
	}
	if st.echo != nil {
		pl.echoes = append(pl.echoes, st)
	}
	if st.remedy != nil {
		pl.undo = append(pl.undo, st)
	}
}

func (pl *planned) empty() bool { return len(pl.request)+len(pl.response)+len(pl.stream) == 0 }

// Plan is what is in force for one provider and model. It is immutable.
type Plan struct {
	target   Target
	set      *Set
	list     []planned
	names    []string
	facts    int
	mem      *memory
	response bool
	stream   bool

	headers []*step // the only ones that act on headers, if these depend on nothing but them
	edited  atomic.Pointer[editedHeader]
}

func (p *Plan) note(pl *planned) {
	after := len(pl.echoes)+len(pl.undo) > 0
	p.response = p.response || len(pl.response) > 0 || after
	p.stream = p.stream || len(pl.stream) > 0 || after
}

// Names lists the overlays as lineages do: id@version.
func (p *Plan) Names() []string {
	if p == nil {
		return nil
	}
	return p.names
}

// Active is the set in force, and what its overlays remember. The zero Active
// holds none. It may be read and replaced by several goroutines.
type Active struct {
	set  atomic.Pointer[Set]
	once sync.Once
	mem  *memory
}

// Set returns the set in force, nil if there is none.
func (a *Active) Set() *Set {
	if a == nil {
		return nil
	}
	return a.set.Load()
}

// Replace puts another set in force. Attempts under way keep the one they began with.
func (a *Active) Replace(s *Set) { a.set.Store(s) }

func (a *Active) memory() *memory {
	a.once.Do(func() { a.mem = newMemory() })
	return a.mem
}

// maxPlans bounds the models whose plans a View keeps.
const maxPlans = 256

// View is what an Active means to one provider: the plans of its models, made
// once for each set.
type View struct {
	active *Active
	target Target
	now    func() time.Time
	known  atomic.Pointer[plans]
	others sync.Map // of dialect -> *View
}

type plans struct {
	set   *Set
	until time.Time // when an overlay of the set expires; zero = none does
	of    map[string]*Plan
}

// View returns the view of one provider; its target names no model yet. An
// Active that is nil has a View without plans.
func (a *Active) View(t Target) *View { return &View{active: a, target: t, now: time.Now} }

// In is the view of the same provider in another dialect.
func (v *View) In(dialect string) *View {
	t := v.target
	t.Dialect = dialect
	other, _ := v.others.LoadOrStore(dialect, &View{active: v.active, target: t, now: v.now})
	return other.(*View)
}

// Plan returns what is in force for a model, nil for nothing.
func (v *View) Plan(model string) *Plan {
	if v == nil {
		return nil
	}
	set := v.active.Set()
	if set == nil || len(set.list) == 0 && (set.shelf == nil || len(v.target.Builtin) == 0) {
		return nil
	}
	k := v.known.Load()
	fresh := k != nil && k.set == set && (k.until.IsZero() || v.now().Before(k.until))
	if fresh {
		if p, ok := k.of[model]; ok {
			return p
		}
	}
	return v.learn(k, fresh, set, model)
}

func (v *View) learn(k *plans, keep bool, set *Set, model string) *Plan {
	now := v.now()
	next := &plans{set: set, of: map[string]*Plan{}}
	if set.expires {
		for _, o := range set.list {
			if !o.Expires.IsZero() && !o.Expired(now) && (next.until.IsZero() || o.Expires.Before(next.until)) {
				next.until = o.Expires
			}
		}
	}
	if keep && len(k.of) < maxPlans {
		maps.Copy(next.of, k.of)
	}
	t := v.target
	t.Model = strings.Clone(model)
	p := set.plan(t, now, v.active.memory())
	next.of[t.Model] = p
	v.known.CompareAndSwap(k, next) // who loses the race plans once more
	return p
}
