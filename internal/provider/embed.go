package provider

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/scri"
)

// What holds for calls of whose provider nothing else is known.
const (
	maxEmbedInputs = 512 // of one call: many vectors make an answer of tens of megabytes
	embedAtOnce    = 4   // calls of one request
	embedAtHome    = 2   // the same, to a local runtime
)

// Embeds reports whether the provider's dialect can make vectors.
func (p *Provider) Embeds() bool {
	_, ok := p.dialect.(dialect.Embedder)
	return ok
}

// Embed asks for the vectors of a request's inputs: in several calls where the
// provider takes no more at once, some of them at the same time. The answer has them
// in the order of the inputs, or there is none: a call that fails ends the others.
// The context must carry a Permit. The Info is there even when there is an error,
// which is always a *scri.Error that names the provider.
func (p *Provider) Embed(ctx context.Context, req *scri.EmbedRequest, call *Call) (*scri.EmbedResponse, *Info, error) {
	info := &Info{Model: call.Model}
	resp, err := p.embed(ctx, req, call, info)
	if err != nil {
		return nil, info, p.fill(scri.AsError(err))
	}
	return resp, info, nil
}

func (p *Provider) embed(ctx context.Context, req *scri.EmbedRequest, call *Call, info *Info) (*scri.EmbedResponse, error) {
	d, ok := p.dialect.(dialect.Embedder)
	if !ok {
		return nil, &scri.Error{Kind: scri.ErrUnsupported, Message: "the dialect " + p.dialect.Name() + " has no embeddings"}
	}
	if err := p.usable(ctx, call.Model); err != nil {
		return nil, err
	}
	req, err := p.shortened(req, call.Model)
	if err != nil {
		return nil, err
	}
	target := dialect.Target{Provider: p.name, Model: p.wire(call.Model), KeepAlive: cmp.Or(call.KeepAlive, p.entry.KeepAlive), Variant: p.spec.Variant, Header: call.Header}
	target.NumCtx = p.embedWindow(ctx, call)
	list, plan := p.batches(req, call.Model), p.vectors.Plan(call.Model)
	info.Overlays = plan.Names()
	for i := range list {
		b := &list[i]
		a := p.attempt()
		a.caller, a.target, b.attempt = call.Caller, target, a
		var warn []scri.Warning
		b.out, warn, err = d.EncodeEmbedRequest(&b.req, &target)
		info.Warnings = b.told(info.Warnings, warn)
		if err == nil && plan != nil {
			_, err = a.edit(plan, b.out, "")
			info.Warnings, info.Model = b.told(info.Warnings, a.info.Warnings), a.target.Model
		}
		if err != nil {
			return nil, b.placed(err)
		}
	}
	if call.Check != nil {
		if err := call.Check(info.Warnings); err != nil {
			return nil, err
		}
	}
	info.Calls = len(list)
	if err := p.all(ctx, d, list, info); err != nil {
		return nil, err
	}
	return join(list)
}

// shortened settles whether the vectors can be had in the length that is wanted. To
// cut them here would give vectors that no model has made.
func (p *Provider) shortened(req *scri.EmbedRequest, model string) (*scri.EmbedRequest, error) {
	known := p.spec.embedding(model)
	if req.Dimensions == nil || known.Dimensions == 0 {
		return req, nil
	}
	switch asked := *req.Dimensions; {
	case asked > known.Dimensions, asked < known.Dimensions && known.Shorter != nil && !*known.Shorter:
		return nil, &scri.Error{
			Kind: scri.ErrUnsupported, Path: "/dimensions",
			Message: fmt.Sprintf("the vectors of %s have %d dimensions and cannot be had with %d", model, known.Dimensions, asked),
			Hint:    "leave dimensions out, or ask for a model that can do it",
		}
	case asked == known.Dimensions && known.Shorter != nil && !*known.Shorter: // and the word would be refused
		out := *req
		out.Dimensions = nil
		return &out, nil
	default:
		return req, nil
	}
}

// embedWindow is the context window to ask a local runtime for; 0 = its own. An
// input that fits nowhere is the runtime's to refuse: it counts, and does not guess.
func (p *Provider) embedWindow(ctx context.Context, call *Call) int64 {
	if call.NumCtx != 0 || !p.SetsWindow() {
		return call.NumCtx
	}
	if n := p.configuredWindow(call.Model); n > 0 {
		return n
	}
	n, _ := p.window(ctx, call, call.Tokens+call.Tokens/4, func(int64) error { return nil })
	return n
}

// batch is one call: some inputs of a request, one after the other.
type batch struct {
	from    int // index of the first
	req     scri.EmbedRequest
	out     *dialect.Outgoing
	attempt *attempt
	resp    *scri.EmbedResponse
}

// batches cuts a request into calls that the provider takes.
func (p *Provider) batches(req *scri.EmbedRequest, model string) []batch {
	known := p.spec.embedding(model)
	most := maxEmbedInputs
	if known.MaxInputs > 0 {
		most = int(min(known.MaxInputs, maxEmbedInputs))
	}
	var list []batch
	for from := 0; from < len(req.Input); {
		n, tokens := 0, int64(0)
		for from+n < len(req.Input) && n < most {
			tokens += surelyTokens(&req.Input[from+n])
			if n > 0 && known.MaxTokens > 0 && tokens > known.MaxTokens {
				break
			}
			n++
		}
		b := batch{from: from, req: *req}
		b.req.Input = req.Input[from : from+n]
		list = append(list, b)
		from += n
	}
	return list
}

// surelyTokens is rather more than the tokens that an input has.
func surelyTokens(in *scri.EmbedInput) int64 {
	if in.Tokens != nil {
		return int64(strings.Count(string(in.Tokens), ",") + 1)
	}
	return int64((in.Text.Size()+dialect.PartsSize(in.Parts))/2) + 8
}

// told joins the warnings about one call to those about the others: where the inputs
// stand in the request, and once for what is about all of them.
func (b *batch) told(list, more []scri.Warning) []scri.Warning {
	for _, w := range more {
		w.Path = b.place(w.Path)
		if !slices.Contains(list, w) {
			list = append(list, w)
		}
	}
	return list
}

// placed is an error about an input at its place in the request.
func (b *batch) placed(err error) error {
	e := *scri.AsError(err)
	e.Path = b.place(e.Path)
	return &e
}

func (b *batch) place(path string) string {
	rest, ok := strings.CutPrefix(path, "/input/")
	if !ok || b.from == 0 {
		return path
	}
	number, rest, more := strings.Cut(rest, "/")
	n, err := strconv.Atoi(number)
	if err != nil {
		return path
	}
	path = "/input/" + strconv.Itoa(b.from+n)
	if more {
		path += "/" + rest
	}
	return path
}

// all makes the calls, several at once, and ends them all when one fails.
func (p *Provider) all(ctx context.Context, d dialect.Embedder, list []batch, info *Info) error {
	infos := make([]Info, len(list))
	if len(list) == 1 {
		err := p.one(ctx, d, &list[0], &infos[0])
		info.take(&infos[0])
		return err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	next := make(chan int)
	var wg sync.WaitGroup
	for range min(p.embedAtOnce(), len(list)) {
		wg.Go(func() {
			for i := range next {
				if err := p.one(ctx, d, &list[i], &infos[i]); err != nil {
					cancel(list[i].placed(err)) // the first counts
				}
			}
		})
	}
feed:
	for i := range list {
		select {
		case next <- i:
		case <-ctx.Done():
			break feed
		}
	}
	close(next)
	wg.Wait()
	info.take(&infos[0])
	if failed, ok := errors.AsType[*scri.Error](context.Cause(ctx)); ok {
		return failed
	}
	if ctx.Err() != nil {
		return p.failure(ctx, nil, ctx.Err(), false)
	}
	return nil
}

// embedAtOnce is how many calls of one request may be under way.
func (p *Provider) embedAtOnce() int {
	n := embedAtOnce
	if p.zone == ZoneLocal {
		n = embedAtHome
	}
	if most := p.spec.Limits.Concurrent; most > 0 {
		n = int(min(int64(n), most))
	}
	return n
}

func (i *Info) take(of *Info) {
	i.Status, i.UpstreamID, i.FirstByte = of.Status, of.UpstreamID, of.FirstByte
}

// one makes one call.
func (p *Provider) one(ctx context.Context, d dialect.Embedder, b *batch, info *Info) error {
	a := b.attempt
	err := a.send(ctx, b.out, p.timeouts.whole())
	*info = a.info
	if err != nil {
		p.narrow(a.target.Model, a, err)
		return err
	}
	body, err := a.whole()
	if err != nil {
		return err
	}
	if a.run != nil {
		body = a.run.Response(body)
	}
	a.answer.Body = body
	resp, err := d.DecodeEmbedResponse(&a.answer, &b.req)
	if err != nil {
		return a.fill(scri.AsError(err))
	}
	if err := sound(resp, &b.req); err != nil {
		return a.fill(err)
	}
	if resp.Model == "" {
		resp.Model = a.target.Model
	}
	resp.Provider = p.name
	b.out, b.attempt, b.resp = nil, nil, resp
	return nil
}

// sound puts the vectors of an answer into the order of its inputs, and refuses one
// that is not what was asked: a vector too few, or of another length, would spoil an
// index that nobody looks at until it is too late.
func sound(resp *scri.EmbedResponse, req *scri.EmbedRequest) *scri.Error {
	var encodings []string
	seen := map[string][]bool{}
	for i := range resp.Embeddings {
		v := &resp.Embeddings[i]
		if seen[v.Encoding] == nil {
			encodings = append(encodings, v.Encoding)
			seen[v.Encoding] = make([]bool, len(req.Input))
		}
		if v.Index >= len(req.Input) || seen[v.Encoding][v.Index] {
			return unsound("the provider sent a vector that belongs to no input, or two for one")
		}
		seen[v.Encoding][v.Index] = true
		if n, known := dialect.VectorLength(v); known && req.Dimensions != nil && int64(n) != *req.Dimensions {
			return &scri.Error{
				Kind: scri.ErrUnsupported, Path: "/dimensions",
				Message: fmt.Sprintf("vectors with %d dimensions were asked for, and %d came: the provider cannot shorten them", *req.Dimensions, n),
				Hint:    "leave dimensions out, or ask for a model that can do it",
			}
		}
	}
	if len(resp.Embeddings) != len(req.Input)*max(1, len(encodings)) {
		return unsound(fmt.Sprintf("the provider sent %d vectors for %d inputs", len(resp.Embeddings), len(req.Input)))
	}
	order := func(v scri.Embedding) int { return slices.Index(encodings, v.Encoding) }
	slices.SortStableFunc(resp.Embeddings, func(a, b scri.Embedding) int {
		return cmp.Or(cmp.Compare(order(a), order(b)), cmp.Compare(a.Index, b.Index))
	})
	return nil
}

func unsound(what string) *scri.Error {
	return &scri.Error{Kind: scri.ErrUnavailable, Message: what}
}

// join makes one answer of those of all calls.
func join(list []batch) (*scri.EmbedResponse, error) {
	first := list[0].resp
	if len(list) == 1 {
		return first, nil
	}
	out := *first
	out.Embeddings = make([]scri.Embedding, 0, len(first.Embeddings)*len(list))
	each := len(first.Embeddings) / len(list[0].req.Input) // encodings
	for e := range each {
		for i := range list {
			b := &list[i]
			n := len(b.req.Input)
			if b.resp.Model != first.Model || len(b.resp.Embeddings) != each*n {
				return nil, unsound(fmt.Sprintf("the provider answered parts of one request with different models, %s and %s, or encodings", first.Model, b.resp.Model))
			}
			for _, v := range b.resp.Embeddings[e*n : (e+1)*n] {
				v.Index += b.from
				out.Embeddings = append(out.Embeddings, v)
			}
		}
	}
	out.Usage = summed(list)
	return &out, nil
}

// summed adds up what the calls used; nil if one of them does not say.
func summed(list []batch) *scri.Usage {
	sum := &scri.Usage{Input: new(int64)}
	for i := range list {
		u := list[i].resp.Usage
		if u == nil || u.Input == nil {
			return nil
		}
		*sum.Input += *u.Input
		sum.Estimated = sum.Estimated || u.Estimated
	}
	return sum
}
