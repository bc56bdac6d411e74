package openai

import (
	"strconv"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/wire"
	"github.com/aratta-gateway/aratta/scri"
)

// encoder writes requests and answers.
type encoder struct {
	wire.Writer

	warn   []scri.Warning
	target *dialect.Target // where a request goes; nil for answers

	choice, msg int // of the message at hand
	within      int // number of the result whose parts are being written, from 1

	moved []*scri.Part // media of results, to be shown after them

	lengths []int // parts of the messages that are written as one
	called  bool  // the answer at hand calls tools

	names  map[string]string // of functions by the ids of their calls, where results need them
	places []int             // of the messages in the request, where these were taken apart

	tokensTold map[int]int // log-probabilities of each choice, so far
	tokenAt    []int       // number of the one at hand, and of those that might have come in its place
}

func (e *encoder) answer() bool { return e.target == nil }

// messagePath is where the message at hand stands in the value being encoded.
func (e *encoder) messagePath() string {
	if e.answer() {
		return "/choices/" + strconv.Itoa(e.choice) + "/output/" + strconv.Itoa(e.msg)
	}
	if e.places != nil {
		return "/messages/" + strconv.Itoa(e.places[e.msg])
	}
	return "/messages/" + strconv.Itoa(e.msg)
}

func (e *encoder) partPath(i int) string {
	if e.within > 0 {
		return e.messagePath() + "/content/" + strconv.Itoa(e.within-1) + "/result/content/" + strconv.Itoa(i)
	}
	for j, n := range e.lengths {
		if i < n {
			return "/choices/" + strconv.Itoa(e.choice) + "/output/" + strconv.Itoa(j) + "/content/" + strconv.Itoa(i)
		}
		i -= n
	}
	return e.messagePath() + "/content/" + strconv.Itoa(i)
}

func (e *encoder) tell(code, path, detail string) {
	e.warn = append(e.warn, scri.Warning{Code: code, Path: path, Detail: detail})
}

func (e *encoder) dropped(path, detail string) { e.tell(scri.WarnDropped, path, detail) }

// foreign reports the members of another dialect's Ext.
func (e *encoder) foreign(x *scri.Ext, path func() string) {
	if x != nil && x.Dialect != name {
		dialect.Foreign(&e.warn, x, name, path)
	}
}

// text writes a member that is a text.
func (e *encoder) text(key string, t scri.Text) {
	e.Key(key)
	dialect.WriteText(&e.Writer, t)
}

func (e *encoder) str(key, v string) {
	e.Key(key)
	e.Str(v)
}

func (e *encoder) float(key string, v *float64) {
	if v != nil {
		e.Key(key)
		e.Float(*v)
	}
}

func (e *encoder) boolean(key string, v *bool) {
	if v != nil {
		e.Key(key)
		e.Bool(*v)
	}
}

// extra writes the members of an Ext of this dialect, but not those named.
func (e *encoder) extra(x *scri.Ext, but ...string) {
	raw := members(x)
	if len(raw) == 0 {
		return
	}
	if len(but) == 0 {
		e.Members(raw)
		return
	}
	var s wire.Scanner
	s.Reset(raw)
	for n := range s.Members() {
		if !isOneOf(n, but...) {
			e.Raw(s.Member())
		}
	}
}

// except writes the members of an Ext of this dialect but those named, which are
// said otherwise here, and tells of what is lost thereby.
func (e *encoder) except(x *scri.Ext, path func() string, names ...string) {
	raw := members(x)
	if len(raw) == 0 {
		return
	}
	var s wire.Scanner
	s.Reset(raw)
	for n := range s.Members() {
		switch {
		case !isOneOf(n, names...):
			e.Raw(s.Member())
		case s.Kind() != wire.Null:
			e.dropped(path()+"/ext/"+dialect.Escape(n), "it is said otherwise here")
		}
	}
}

// nested is the object that an Ext holds under a name, or nil.
func nested(x *scri.Ext, key string) scri.RawJSON {
	raw := members(x)
	if len(raw) == 0 {
		return nil
	}
	var s wire.Scanner
	s.Reset(raw)
	return s.Peek(key)
}

// warnings are the losses, nil if there were none.
func (e *encoder) warnings() []scri.Warning { return e.warn }
