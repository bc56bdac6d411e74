package native

import (
	"reflect"
	"time"

	"github.com/aratta-gateway/aratta/scri"
)

// lineage writes the lineage, if there is one.
func (e *encoder) lineage(l *scri.Lineage, x *scri.Ext) bool {
	if l == nil {
		return false
	}
	if e.asItWas(x, "lineage", func(d *decoder) bool { return reflect.DeepEqual(d.lineage(new(extra)), l) }) {
		return true
	}
	e.key("lineage")
	at := e.begin()
	e.key("id")
	e.Str(l.ID)
	e.str("ingress", l.Ingress)
	e.str("asked", l.Asked)
	e.str("chain", l.Chain)
	e.str("task", l.Task)
	e.str("class", l.Class)
	each(e, "attempts", l.Attempts, e.attempt)
	if l.Confidence != nil {
		e.confidence(l.Confidence)
	}
	e.str("cache", l.Cache)
	e.int("masked", int64(l.Masked))
	e.floatPtr("cost_usd", l.CostUSD)
	each(e, "reasons", l.Reasons, e.reason)
	e.end(at, nil)
	return true
}

func (e *encoder) attempt(a *scri.Attempt) {
	at := e.begin()
	e.key("provider")
	e.Str(a.Provider)
	e.str("model", a.Model)
	e.str("dialect", a.Dialect)
	e.str("zone", a.Zone)
	e.str("region", a.Region)
	e.strings("overlays", a.Overlays)
	e.time("start", a.Start)
	e.float("first_ms", a.FirstMS)
	e.float("took_ms", a.TookMS)
	e.key("outcome")
	e.Str(a.Outcome)
	if a.Error != nil {
		e.key("error")
		e.fault(a.Error)
	}
	e.usage(a.Usage, nil, false)
	e.floatPtr("cost_usd", a.CostUSD)
	e.end(at, nil)
}

func (e *encoder) confidence(c *scri.Confidence) {
	e.key("confidence")
	at := e.begin()
	e.key("value")
	e.Float(c.Value)
	e.float("threshold", c.Threshold)
	each(e, "signals", c.Signals, e.reason)
	e.end(at, nil)
}

func (e *encoder) reason(r *scri.Reason) {
	at := e.begin()
	e.key("stage")
	e.Str(r.Stage)
	e.key("code")
	e.Str(r.Code)
	e.str("target", r.Target)
	e.str("detail", r.Detail)
	e.end(at, nil)
}

// fault writes an error.
func (e *encoder) fault(f *scri.Error) {
	at := e.begin()
	e.key("kind")
	e.Str(string(f.Kind))
	e.key("message")
	e.Str(f.Message)
	e.str("hint", f.Hint)
	e.str("path", f.Path)
	e.str("provider", f.Provider)
	e.str("request_id", f.RequestID)
	e.str("code", f.Code)
	e.int("status", int64(f.Status))
	e.float("retry_after_ms", float64(f.RetryAfter)/float64(time.Millisecond))
	each(e, "attempts", f.Attempts, e.attempt)
	e.end(at, nil)
}
