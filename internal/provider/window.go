package provider

import (
	"context"
	"fmt"
	"math/bits"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/scri"
)

// Window returns the context window of a model and where that is known from:
// "config", "runtime" or "catalogue"; 0 and "" when nobody says.
func (p *Provider) Window(ctx context.Context, model string) (tokens int64, source string) {
	if n := p.configuredWindow(model); n > 0 {
		return n, "config"
	}
	if m := p.Show(ctx, model); m != nil && m.ContextWindow > 0 {
		return m.ContextWindow, "runtime"
	}
	if m, ok := p.spec.Model(model); ok && m.ContextWindow > 0 {
		return m.ContextWindow, "catalogue"
	}
	return 0, ""
}

// configuredWindow is the context window that the configuration says of a model, 0 if
// it says none.
func (p *Provider) configuredWindow(model string) int64 {
	for i := range p.entry.Models {
		if m := &p.entry.Models[i]; m.ContextWindow > 0 && sameModel(m.Name, model) {
			return m.ContextWindow
		}
	}
	return 0
}

// What a local runtime gives when nothing is asked for, what is kept free for
// an answer of unknown length, and the smallest window that is asked for.
const (
	runtimeWindow = 4096
	roomForAnswer = 1024
)

// SetsWindow reports whether requests ask for the context window that they need.
func (p *Provider) SetsWindow() bool {
	_, ok := p.dialect.(Shower)
	return ok && p.zone != ZoneCloud
}

// numCtx is the context window to ask a local runtime for, 0 to take the
// runtime's own. Such runtimes cut what does not fit in silence, so what needs
// more than the usual asks for it, and what fits nowhere is refused. Windows are
// asked for in powers of two, and those that are there are asked for again: another
// one, or none, makes the runtime load the model anew.
func (p *Provider) numCtx(ctx context.Context, req *scri.ChatRequest, call *Call) (int64, error) {
	if !p.SetsWindow() {
		return 0, nil
	}
	if n := p.configuredWindow(call.Model); n > 0 {
		return n, p.fits(call.Tokens, n, call.Model)
	}
	room := int64(roomForAnswer)
	if req.MaxTokens != nil && *req.MaxTokens > 0 {
		room = min(*req.MaxTokens, 8*roomForAnswer)
	}
	// Texts that have more tokens than most, like code, are estimated too low.
	return p.window(ctx, call, call.Tokens+call.Tokens/4+room, func(most int64) error { return p.fits(call.Tokens, most, call.Model) })
}

// window is the context window to ask for where so many tokens are needed; 0 = the
// runtime's own will do. fits is told the largest that the model has, 0 if unknown.
func (p *Provider) window(ctx context.Context, call *Call, need int64, fits func(most int64) error) (int64, error) {
	if kept := p.windows.kept(call.Model); call.Tokens == 0 || need <= max(kept, runtimeWindow) {
		return kept, nil
	}
	most, _ := p.Window(ctx, call.Model)
	if err := fits(most); err != nil {
		return 0, err
	}
	ask := int64(1) << bits.Len64(uint64(need-1))
	if most > 0 {
		ask = min(ask, most)
	}
	list, _ := p.Loaded(ctx)
	for i := range list {
		if sameModel(list[i].ID, call.Model) && list[i].ContextWindow >= min(need, ask) {
			ask = list[i].ContextWindow
		}
	}
	if ask <= runtimeWindow {
		return 0, nil
	}
	p.windows.keep(call.Model, ask)
	return ask, nil
}

// mostTokens is by how much the estimate may be too low: no text has more tokens than
// bytes, of which four are taken for one.
const mostTokens = 4

// mayBeCut reports whether a runtime might cut the prompt of a client who does not
// expect it: what is refused can be asked of another target, what is cut is lost.
func (p *Provider) mayBeCut(call *Call, numCtx int64) bool {
	return p.SetsWindow() && call.Header == nil && mostTokens*call.Tokens > max(numCtx, runtimeWindow)
}

// wider is the window to ask for after a runtime refused a prompt that it would
// otherwise have cut; 0 = there is none, or the prompt does not fit the one that is
// configured.
func (p *Provider) wider(ctx context.Context, call *Call, a *attempt, err error) int64 {
	if !a.target.Uncut || scri.AsError(err).Kind != scri.ErrContextLength || a.resp == nil || p.configuredWindow(call.Model) > 0 {
		return 0
	}
	asked := max(a.target.NumCtx, runtimeWindow)
	most, _ := p.Window(ctx, call.Model)
	if most <= asked || asked >= mostTokens*call.Tokens {
		return 0
	}
	n := min(2*asked, most)
	p.windows.keep(call.Model, n)
	return n
}

// narrow forgets the window that was asked for where the runtime itself failed: it may
// have no memory for it, and short prompts, which need none, would fail with the long one.
// That it is busy or refuses a prompt says nothing of the window.
func (p *Provider) narrow(model string, a *attempt, err error) {
	e := scri.AsError(err)
	if a.target.NumCtx == 0 || a.resp != nil && e.Status != http.StatusInternalServerError && e.Kind != scri.ErrTimeout {
		return
	}
	if e.Kind == scri.ErrOverloaded || e.Kind == scri.ErrUnavailable || e.Kind == scri.ErrTimeout {
		p.windows.forget(model)
	}
}

// windows remembers which windows runtimes were asked for, as long as they keep a
// model that nobody asks.
type windows struct {
	mu    sync.Mutex
	asked map[string]askedWindow // by models without the tag that no tag means
}

type askedWindow struct {
	tokens int64
	until  time.Time
}

const windowKept = 5 * time.Minute

// kept is what was asked for, 0 if nothing was, or long ago.
func (w *windows) kept(model string) int64 {
	model = untagged(model)
	w.mu.Lock()
	defer w.mu.Unlock()
	a, ok := w.asked[model]
	if !ok {
		return 0
	}
	now := time.Now()
	if now.After(a.until) {
		delete(w.asked, model)
		return 0
	}
	w.asked[model] = askedWindow{a.tokens, now.Add(windowKept)}
	return a.tokens
}

func (w *windows) keep(model string, tokens int64) {
	model = untagged(model)
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.asked == nil || len(w.asked) >= maxShown { // to forget them costs a load
		w.asked = map[string]askedWindow{}
	}
	w.asked[model] = askedWindow{tokens, time.Now().Add(windowKept)}
}

func (w *windows) forget(model string) {
	model = untagged(model)
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.asked, model)
}

func (p *Provider) fits(tokens, window int64, model string) error {
	if window == 0 || tokens <= window {
		return nil
	}
	return &scri.Error{
		Kind: scri.ErrContextLength, Provider: p.name,
		Message: fmt.Sprintf("about %d tokens do not fit the %d of %s", tokens, window, model),
		Hint:    "ask a model with a longer window",
	}
}

// able tells the dialect what the runtime says of the model, where it would refuse
// what the model cannot do, or do as if nothing had been asked.
func (p *Provider) able(ctx context.Context, req *scri.ChatRequest, call *Call, t *dialect.Target) error {
	if !p.SetsWindow() {
		return nil
	}
	picture := pictureOf(req)
	if req.Reasoning == nil && picture == "" {
		return nil
	}
	m := p.Show(ctx, call.Model)
	if m == nil || len(m.Capabilities) == 0 {
		return nil
	}
	if picture != "" && !slices.Contains(m.Capabilities, "vision") {
		return &scri.Error{
			Kind: scri.ErrUnsupported, Path: picture, Message: call.Model + " sees no pictures",
			Hint: "ask a model whose capabilities have vision; `aratta models --json` tells them",
		}
	}
	switch {
	case !slices.Contains(m.Capabilities, "thinking"):
		t.Thinking = dialect.ThinkingNone
	case m.Family != "gptoss" && m.Family != "gpt-oss":
		t.Thinking = dialect.ThinkingSwitch
	}
	return nil
}

// pictureOf is where the first picture of the turn that shall be answered is, "" if
// it has none.
func pictureOf(req *scri.ChatRequest) string {
	for i := len(req.Messages) - 1; i >= 0 && req.Messages[i].Role != scri.RoleAssistant; i-- {
		if at := pictureIn(req.Messages[i].Parts); at != "" {
			return fmt.Sprintf("/messages/%d/content%s", i, at)
		}
	}
	return ""
}

// pictureIn is where the first picture of parts is, those that tools found included.
func pictureIn(parts []scri.Part) string {
	for i := range parts {
		p := &parts[i]
		if p.Media != nil && strings.HasPrefix(p.Media.Type, "image/") {
			return fmt.Sprintf("/%d", i)
		}
		if p.Result != nil {
			if at := pictureIn(p.Result.Parts); at != "" {
				return fmt.Sprintf("/%d/result/content%s", i, at)
			}
		}
	}
	return ""
}
