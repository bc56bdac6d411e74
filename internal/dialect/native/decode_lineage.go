package native

import (
	"github.com/aratta-gateway/aratta/scri"
)

func (d *decoder) lineage(x *extra) *scri.Lineage {
	x.deep = true
	l := new(scri.Lineage)
	for name := range d.Members() {
		if d.null(x) {
			continue
		}
		switch name {
		case "id":
			l.ID = d.plain()
		case "ingress":
			l.Ingress = d.str(x, name)
		case "asked":
			l.Asked = d.str(x, name)
		case "chain":
			l.Chain = d.str(x, name)
		case "task":
			l.Task = d.str(x, name)
		case "class":
			l.Class = d.str(x, name)
		case "attempts":
			l.Attempts = list(d, x, name, func() scri.Attempt { return d.attempt(x) })
		case "confidence":
			l.Confidence = d.confidence(x)
		case "cache":
			l.Cache = d.str(x, name)
		case "masked":
			l.Masked = int(d.int64(x, name))
		case "cost_usd":
			l.CostUSD = d.floatPtr()
		case "reasons":
			l.Reasons = list(d, x, name, func() scri.Reason { return d.reason(x) })
		default:
			x.keep(d.Member())
		}
	}
	return l
}

func (d *decoder) attempt(x *extra) scri.Attempt {
	var a scri.Attempt
	for name := range d.Members() {
		if d.null(x) {
			continue
		}
		switch name {
		case "provider":
			a.Provider = d.plain()
		case "model":
			a.Model = d.str(x, name)
		case "dialect":
			a.Dialect = d.str(x, name)
		case "zone":
			a.Zone = d.str(x, name)
		case "region":
			a.Region = d.str(x, name)
		case "overlays":
			a.Overlays = d.strings(x, name)
		case "start":
			a.Start = d.time()
		case "first_ms":
			a.FirstMS = d.float(x, name)
		case "took_ms":
			a.TookMS = d.float(x, name)
		case "outcome":
			a.Outcome = d.plain()
		case "error":
			a.Error = d.fault(x)
		case "usage":
			a.Usage = d.usage(x)
		case "cost_usd":
			a.CostUSD = d.floatPtr()
		default:
			x.keep(d.Member())
		}
	}
	return a
}

func (d *decoder) confidence(x *extra) *scri.Confidence {
	c := new(scri.Confidence)
	for name := range d.Members() {
		if d.null(x) {
			continue
		}
		switch name {
		case "value":
			c.Value = d.Float()
		case "threshold":
			c.Threshold = d.float(x, name)
		case "signals":
			c.Signals = list(d, x, name, func() scri.Reason { return d.reason(x) })
		default:
			x.keep(d.Member())
		}
	}
	return c
}

func (d *decoder) reason(x *extra) scri.Reason {
	var r scri.Reason
	for name := range d.Members() {
		if d.null(x) {
			continue
		}
		switch name {
		case "stage":
			r.Stage = d.plain()
		case "code":
			r.Code = d.plain()
		case "target":
			r.Target = d.str(x, name)
		case "detail":
			r.Detail = d.str(x, name)
		default:
			x.keep(d.Member())
		}
	}
	return r
}

// fault reads an error.
func (d *decoder) fault(x *extra) *scri.Error {
	e := new(scri.Error)
	for name := range d.Members() {
		if d.null(x) {
			continue
		}
		switch name {
		case "kind":
			e.Kind = scri.ErrorKind(d.plain())
		case "status":
			e.Status = int(d.int64(x, name))
		case "code":
			e.Code = d.str(x, name)
		case "message":
			e.Message = d.plain()
		case "hint":
			e.Hint = d.str(x, name)
		case "provider":
			e.Provider = d.str(x, name)
		case "request_id":
			e.RequestID = d.plain()
		case "path":
			e.Path = d.str(x, name)
		case "retry_after_ms":
			e.RetryAfter = milliseconds(d.float(x, name))
		case "attempts":
			e.Attempts = list(d, x, name, func() scri.Attempt { return d.attempt(x) })
		default:
			x.keep(d.Member())
		}
	}
	return e
}
