package provider

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/overlay"
	"github.com/aratta-gateway/aratta/scri"
)

// patch settles what overlays mean to a provider, its address first of all: that
// is what permits are for and what the zone is checked against.
func (p *Provider) patch(d *Deps) {
	t := overlay.Target{
		Provider: p.name, Entry: p.spec.Name, Dialect: p.spec.Dialect, BaseURL: p.spec.BaseURL, Builtin: p.spec.Overlays,
	}
	if base, names := d.Overlays.Set().BaseURL(t, time.Now()); len(names) > 0 && base != t.BaseURL {
		p.notes = append(p.notes, fmt.Sprintf("base_url is %s by the overlay %s", base, strings.Join(names, ", ")))
		p.spec.BaseURL, t.BaseURL = base, base
	}
	p.overlays, p.dialects = d.Overlays.View(t), d.Dialects
	t.Op = overlay.OpEmbed
	p.vectors = d.Overlays.View(t)
}

// patch lets the overlays edit a request before it leaves: the one seam on the
// way out. One that wants another dialect has the request encoded anew, and the
// overlays of that dialect edit it then.
func (a *attempt) patch(req *scri.ChatRequest, plan *overlay.Plan, out *dialect.Outgoing) error {
	path, err := a.edit(plan, out, "")
	if err != nil {
		return err
	}
	name, moved := a.run.Dialect()
	if name == "" || name == a.speaks.Name() {
		return nil
	}
	again, ok := a.p.dialects(name)
	if !ok {
		return &scri.Error{
			Kind: scri.ErrUnsupported, Message: fmt.Sprintf("an overlay wants the request in the dialect %q, which is not known", name),
			Hint: "overlays in force: " + strings.Join(a.info.Overlays, ", "),
		}
	}
	a.speaks, a.info.Dialect, a.target.Header, a.target.Variant = again, name, nil, ""
	traits := again.Traits()
	traits.Provider = a.p.name
	ported, warnings := scri.Port(req, traits)
	a.info.Warnings = append(a.info.Warnings, warnings...)
	fresh, warnings, err := again.EncodeRequest(ported, &a.target)
	if err != nil {
		return err
	}
	a.info.Warnings = append(a.info.Warnings, warnings...)
	*out, a.url, a.header, a.run = *fresh, nil, nil, nil
	if !moved {
		path = ""
	}
	_, err = a.edit(a.p.overlays.In(name).Plan(a.target.Model), out, path)
	if a.run != nil {
		if next, _ := a.run.Dialect(); err == nil && next != "" && next != name {
			err = &scri.Error{Kind: scri.ErrInternal, Message: "overlays pass a request from dialect to dialect: " + strings.Join(a.info.Overlays, ", ")}
		}
	}
	return err
}

// edit runs a plan over a request. path, if given, takes the place of the
// dialect's own; the one that it has in the end is returned.
func (a *attempt) edit(plan *overlay.Plan, out *dialect.Outgoing, path string) (string, error) {
	if err := a.p.reroute(out, a.target.Model); err != nil {
		return "", err
	}
	u, err := a.p.address.resolve(out.Path)
	if err != nil {
		return "", err
	}
	a.url = u
	way := u.EscapedPath()
	q := overlay.Request{Body: out.Body, Header: a.p.header(out.Header), Path: cmp.Or(path, way), Query: u.RawQuery, Model: a.target.Model}
	if plan != nil {
		a.run = plan.Begin(nil)
		if names := slices.Clip(plan.Names()); a.info.Overlays == nil {
			a.info.Overlays = names
		} else {
			a.info.Overlays = append(a.info.Overlays, names...)
		}
		if a.edited != nil {
			q.Buf = (*a.edited)[:0]
		}
		if err := a.run.Request(&q); err != nil {
			return "", err
		}
		if a.edited != nil {
			*a.edited = q.Buf
		}
		a.info.Warnings = scri.JoinWarnings(a.info.Warnings, a.run.Warnings)
	}
	if q.Path != way || q.Query != u.RawQuery {
		if a.url, err = a.p.address.moved(q.Path, q.Query); err != nil {
			return "", err
		}
	}
	out.Body, a.header = q.Body, q.Header
	if q.Model != a.target.Model { // by an alias
		a.target.Model, a.info.Model = q.Model, q.Model
	}
	return q.Path, nil
}

// patched is the stream as the overlays leave it: the seam on the way back.
func (a *attempt) patched(mime string) io.Reader {
	framing := overlay.SSE
	switch mime {
	case "text/event-stream":
	case "application/x-ndjson", "application/json", "application/jsonl":
		framing = overlay.Lines
	default:
		if a.run.WantsStream() {
			a.info.Warnings = append(a.info.Warnings, scri.Warning{
				Code: scri.WarnDropped, Path: "/overlays", Detail: "the overlays in force cannot look into a stream of type " + mime,
			})
		}
		return a.body
	}
	return a.run.Stream(a.body, framing, a.answer.MaxFrame)
}
