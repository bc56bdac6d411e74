package provider

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync/atomic"

	"golang.org/x/net/http/httpguts"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/overlay"
	"github.com/aratta-gateway/aratta/internal/reach"
	"github.com/aratta-gateway/aratta/scri"
)

// Deps are what a provider is given by whoever builds it.
type Deps struct {
	// Dialects is the table of dialects.
	Dialects func(name string) (dialect.Dialect, bool)
	// Catalogue is what is known of providers.
	Catalogue *Catalogue
	// Version of the gateway, for the User-Agent header.
	Version  string
	Timeouts Timeouts
	// Overlays are what is patched on the way out and back; nil = nothing.
	Overlays *overlay.Active
	// LookupEnv finds keys and proxies; nil = os.LookupEnv.
	LookupEnv func(string) (string, bool)
	// Traceparent is the header of that name for what is sent in a context, "" = none;
	// nil = nobody is sent one. It goes to providers in TraceZones alone.
	Traceparent func(context.Context) string
	TraceZones  []string
	// Dial replaces the dialler, and with it the check of addresses: for tests
	// and for simulators in the same process.
	Dial DialFunc
}

func (d *Deps) lookupEnv(name string) (string, bool) {
	if d.LookupEnv != nil {
		return d.LookupEnv(name)
	}
	return os.LookupEnv(name)
}

// Kind is the table of the configuration that an entry stands in.
type Kind string

// The kinds.
const (
	Local  Kind = "local"     // [local.NAME]: a runtime of one's own
	Remote Kind = "providers" // [providers.NAME]
)

// Provider is one place where models run. It is immutable and safe for
// concurrent use.
type Provider struct {
	name     string
	kind     Kind
	entry    Entry
	spec     *Spec  // as configured: the catalogue's facts with the entry laid over
	usual    string // the catalogue's base_url
	dialect  dialect.Dialect
	traits   scri.Traits
	zone     string
	address  address
	key      secret
	pair     *aws.Credentials // with which requests are signed, if they are
	signer   signer           // nil = fixed headers prove who sends
	wired    bool             // some models have another name on the wire
	disabled string
	notes    []string
	timeouts Timeouts
	overlays *overlay.View
	vectors  *overlay.View // the overlays of requests for vectors
	dialects func(name string) (dialect.Dialect, bool)

	traceparent func(context.Context) string // nil = it is not told of traces

	fixed     http.Header // sent with every request, the credential included
	built     atomic.Pointer[headers]
	door      http.RoundTripper
	gate      http.RoundTripper // the door for bodies that are read while they are sent
	transport transport
	streams   *http.Transport // behind the gate
	direct    bool            // transport is h1
	bodies    dialect.Bodies  // for requests through h1
	bursts    dialect.Bodies  // for streams that come at once

	lists  *memo[[]scri.ModelInfo]
	shown  *memo[*scri.ModelInfo]
	loaded *memo[[]scri.ModelInfo]

	windows windows
}

// New builds the provider that an entry of the configuration describes. It
// fails when the entry makes no sense; one that makes sense but cannot be used
// (no key, enabled = false) is built all the same and says why: see Disabled.
func New(kind Kind, name string, e Entry, d Deps) (*Provider, error) {
	p := &Provider{name: name, kind: kind, entry: e, timeouts: d.Timeouts}
	if err := p.build(&d); err != nil {
		se := scri.AsError(err)
		se.Message = fmt.Sprintf("[%s.%s] %s", kind, name, se.Message)
		se.Provider = ""
		return nil, se
	}
	if slices.Contains(d.TraceZones, p.zone) {
		p.traceparent = d.Traceparent
	}
	return p, nil
}

func (p *Provider) build(d *Deps) error {
	spec, err := p.describe(d.Catalogue)
	if err != nil {
		return err
	}
	values, missing, err := findParams(spec, p.entry.Params, d.lookupEnv)
	if err != nil {
		return err
	}
	values.apply(spec)
	p.spec, p.wired = spec, slices.ContainsFunc(spec.Models, func(m Model) bool { return m.Wire != "" })
	p.patch(d)
	dial, ok := d.Dialects(spec.Dialect)
	if !ok {
		return at("dialect", invalidf("", "dialect %q is not known%s", spec.Dialect, maybe(spec.Dialect, d.Catalogue.dialects())))
	}
	p.dialect, p.traits = dial, dial.Traits()
	p.traits.Provider = p.name
	if err := p.entry.demands(&p.traits); err != nil {
		return err
	}
	if spec.MediaBytes && p.traits.Media <= scri.MediaBytes {
		p.traits.Media, p.traits.MediaHosts = scri.MediaBytes, ""
	}
	if spec.BaseURL == "" {
		return invalidf("", "base_url is missing")
	}
	base, err := parseBase(unset(spec.BaseURL), spec.Dialect)
	if err != nil {
		return at("base_url", err)
	}
	if err := p.settleZone(base); err != nil {
		return err
	}
	if spec.Auth.Scheme == AuthAWS {
		p.pair, p.key, p.disabled = findAWS(spec.Auth, &p.entry, d)
	} else {
		p.key, p.disabled = findKey(spec.Auth, &p.entry, d)
	}
	if missing != "" {
		p.disabled = missing
	}
	if p.entry.Enabled != nil && !*p.entry.Enabled {
		p.disabled = "switched off by enabled = false"
	}
	if spec.Auth.Scheme == AuthQuery && p.key != "" {
		q := url.Values{spec.Auth.Name: {string(p.key)}}.Encode()
		base.RawQuery = strings.TrimPrefix(base.RawQuery+"&"+q, "&")
	}
	p.address.base = base
	if err := p.fixHeaders(d.Version); err != nil {
		return err
	}
	w := &wiring{
		provider: p.name, zone: p.zone, base: base, proxy: spec.Proxy, ca: spec.CA,
		secret:   p.key != "" || p.pair != nil || len(p.entry.Headers) > 0,
		timeouts: d.Timeouts, dial: d.Dial, env: d.lookupEnv,
	}
	if p.transport, err = newTransport(w); err != nil {
		return err
	}
	if p.streams, err = newStreams(w); err != nil {
		return err
	}
	_, p.direct = p.transport.(*h1)
	if p.signer, err = p.newSigner(d); err != nil {
		return err
	}
	p.door = &egress{zone: p.zone, scheme: base.Scheme, host: base.Host, next: p.transport}
	p.gate = &egress{zone: p.zone, scheme: base.Scheme, host: base.Host, next: p.streams}
	p.lists, p.shown, p.loaded = newMemo[[]scri.ModelInfo](1), newMemo[*scri.ModelInfo](maxShown), newMemo[[]scri.ModelInfo](1)
	return nil
}

// describe finds the catalogue's entry and lays the configuration over it.
func (p *Provider) describe(c *Catalogue) (*Spec, error) {
	e := &p.entry
	base, known := c.Spec(p.name)
	switch {
	case e.Type != "":
		if base, known = c.Spec(e.Type); !known {
			return nil, at("type", invalidf("", "type %q is not in the catalogue%s", e.Type, c.suggest(e.Type)))
		}
	case known:
	case e.Dialect == "" || e.BaseURL == "":
		return nil, invalidf("give it a type from the catalogue, or dialect and base_url",
			"%q is not in the catalogue%s", p.name, c.suggest(p.name))
	default:
		base, known = c.sameAPI(e.Dialect, e.BaseURL)
	}
	spec := &Spec{Zone: ZoneCloud, Auth: defaultAuth(e.Dialect)}
	if known {
		spec, p.usual = base.clone(), base.BaseURL
	} else if p.kind == Local {
		spec.Zone, spec.Auth.Optional = ZoneLocal, true
	}
	if e.Dialect != "" && e.Dialect != spec.Dialect {
		spec.Dialect = e.Dialect
		if known {
			spec.Auth = defaultAuth(e.Dialect)
		}
	}
	for _, f := range []struct {
		to   *string
		from string
	}{
		{&spec.BaseURL, e.BaseURL},
		{&spec.Zone, e.Zone},
		{&spec.Region, e.Region},
		{&spec.Proxy, e.Proxy},
		{&spec.CA, e.CAFile},
	} {
		if f.from != "" {
			*f.to = f.from
		}
	}
	if err := e.settleAuth(spec); err != nil {
		return nil, err
	}
	if e.APIKeyEnv != "" || e.APIKeyFile != "" {
		if spec.Auth.Scheme == AuthNone {
			spec.Auth.Scheme = AuthBearer
		}
		spec.Auth.Optional = false
	}
	if e.MediaBytes != nil {
		spec.MediaBytes = *e.MediaBytes
	}
	if len(e.Headers) > 0 {
		spec.Headers = maps.Clone(spec.Headers)
		if spec.Headers == nil {
			spec.Headers = map[string]string{}
		}
		maps.Copy(spec.Headers, e.Headers)
	}
	var own []Model
	for _, m := range e.Models {
		if m.Name == "" {
			return nil, at("models", invalidf("", "models: one has no name"))
		}
		own = append(own, Model{Name: m.Name, ContextWindow: m.ContextWindow, MaxOutput: m.MaxOutput})
	}
	spec.Models = mergeModels(spec.Models, own)
	return spec, nil
}

// settleAuth lays what the entry says of proving who asks over the catalogue's.
func (e *Entry) settleAuth(spec *Spec) error {
	switch {
	case e.APIKeyEnv != "" && !namesVariable(e.APIKeyEnv): // and not repeated: it may be the key
		return at("api_key_env", invalidf("put the key into an environment variable, and that one's name here", "what stands in api_key_env is no name of an environment variable"))
	case e.Auth == "":
	case e.Auth != AuthClient:
		return at("auth", invalidf("leave it out to prove the gateway itself as the catalogue says", "auth %q is not %q", e.Auth, AuthClient))
	case e.APIKeyEnv != "" || e.APIKeyFile != "":
		return at("auth", invalidf("leave out api_key_env and api_key_file", "auth = \"client\" takes the caller's credential, and no other"))
	default:
		spec.Auth = Auth{Scheme: AuthClient}
	}
	return nil
}

// defaultAuth is how servers of a dialect want the key when nobody says.
func defaultAuth(dialect string) Auth {
	switch dialect {
	case "anthropic":
		return Auth{Scheme: AuthHeader, Name: "x-api-key", Optional: true}
	case "gemini":
		return Auth{Scheme: AuthHeader, Name: "x-goog-api-key", Optional: true}
	default:
		return Auth{Scheme: AuthBearer, Optional: true}
	}
}

func (p *Provider) settleZone(base *url.URL) error {
	p.zone = p.spec.Zone
	if !slices.Contains(zones(), p.zone) {
		return at("zone", invalidf("", "zone %q is none of %s%s", p.zone, strings.Join(zones(), ", "), maybe(p.zone, zones())))
	}
	if p.kind == Local && p.zone == ZoneCloud {
		return at("zone", invalidf("put it into [providers."+p.name+"]", "a local runtime cannot be in zone cloud"))
	}
	ip, err := netip.ParseAddr(base.Hostname())
	if err == nil {
		ip = reach.Plain(ip)
	}
	switch {
	case err != nil: // a name, which is checked each time it is resolved
	case p.zone == ZoneLocal && reach.Public(ip):
		return at("base_url", invalidf("set zone = \"private\" for a server of your own, or put it into [providers."+p.name+"]",
			"%s is a public address, and zone local does not reach that far", ip))
	case p.zone == ZoneCloud && !reach.Public(ip) && !ip.IsLoopback() && p.spec.Proxy == "":
		p.notes = append(p.notes, fmt.Sprintf("%s is no public address, and zone cloud reaches public ones only; set zone = \"private\" if this server is your own", ip))
	}
	if p.zone != ZoneLocal && base.Scheme == "http" && !reach.Loopback(base.Hostname()) {
		p.notes = append(p.notes, "base_url begins with http://: key and conversations travel unencrypted")
	}
	return nil
}

// fixHeaders prepares what is sent with every request.
func (p *Provider) fixHeaders(version string) error {
	h := http.Header{"User-Agent": {"aratta/" + version}}
	if p.zone != ZoneLocal && !reach.Loopback(p.address.base.Hostname()) {
		h["Accept-Encoding"] = []string{"gzip"} // between processes of one machine it only costs
	} else {
		h["Accept-Encoding"] = []string{"identity"}
	}
	for name, value := range p.spec.Headers {
		if !httpguts.ValidHeaderFieldName(name) || !httpguts.ValidHeaderFieldValue(value) || hopHeader(name) {
			return invalidf("", "headers: %q cannot be sent", name)
		}
		h.Set(name, value)
	}
	switch {
	case p.key == "":
	case p.spec.Auth.Scheme == AuthBearer, p.spec.Auth.Scheme == AuthAWS && p.pair == nil:
		h.Set("Authorization", "Bearer "+string(p.key))
	case p.spec.Auth.Scheme == AuthHeader:
		h.Set(p.spec.Auth.Name, string(p.key))
	}
	p.fixed = h
	return nil
}

func hopHeader(name string) bool {
	switch http.CanonicalHeaderKey(name) {
	case "Host", "Connection", "Content-Length", "Transfer-Encoding", "Content-Encoding", "Upgrade", "Te", "Trailer", "Proxy-Authorization":
		return true
	default:
		return false
	}
}

// headers are those of one kind of request: what the dialect gave, and all.
type headers struct{ given, all http.Header }

// header returns the headers of a request, which must not be changed: a dialect
// gives the same ones nearly always, and then they are built once.
func (p *Provider) header(given http.Header) http.Header {
	if b := p.built.Load(); b != nil && sameHeader(b.given, given) {
		return b.all
	}
	all := make(http.Header, len(given)+len(p.fixed))
	maps.Copy(all, given)
	maps.Copy(all, p.fixed)
	if all.Get("Content-Type") == "" {
		all["Content-Type"] = []string{"application/json"}
	}
	p.built.Store(&headers{given.Clone(), all})
	return all
}

func sameHeader(a, b http.Header) bool {
	if len(a) != len(b) {
		return false
	}
	for name, values := range b {
		if !slices.Equal(a[name], values) {
			return false
		}
	}
	return true
}

// Name is the name of the provider's table in the configuration.
func (p *Provider) Name() string { return p.name }

// String is the name.
func (p *Provider) String() string { return p.name }

// GoString is the name: nothing of a provider but that is for logs.
func (p *Provider) GoString() string { return "provider " + p.name }

// LogValue is the name.
func (p *Provider) LogValue() slog.Value { return slog.StringValue(p.name) }

// Kind is the table that the provider stands in.
func (p *Provider) Kind() Kind { return p.kind }

// Zone is how far away the provider is: local, private or cloud.
func (p *Provider) Zone() string { return p.zone }

// Region is where it stands, as far as that is known.
func (p *Provider) Region() string { return p.spec.Region }

// Host is the host of base_url with its port, as a permit must name it.
func (p *Provider) Host() string { return p.address.base.Host }

// Dialect is the name of the format it speaks.
func (p *Provider) Dialect() string { return p.dialect.Name() }

// Traits is what it demands of a history, for scri.Port.
func (p *Provider) Traits() scri.Traits { return p.traits }

// Entry is what the configuration says of it. It must not be changed.
func (p *Provider) Entry() *Entry { return &p.entry }

// Spec is what is known of it, the configuration included. It must not be changed.
func (p *Provider) Spec() *Spec { return p.spec }

// Disabled tells why the provider cannot be used; "" = it can.
func (p *Provider) Disabled() string { return p.disabled }

// Notes are warnings about its configuration, for the log at the start.
func (p *Provider) Notes() []string { return p.notes }

// Priority says when it is asked: smaller is earlier, local runtimes are 0.
func (p *Provider) Priority() int {
	switch {
	case p.entry.Priority != nil:
		return *p.entry.Priority
	case p.kind == Local:
		return 0
	default:
		return 100
	}
}

// demands lays what the configuration says of the model's template over what the
// format demands of a history.
func (e *Entry) demands(t *scri.Traits) error {
	known := []string{"alternate", "one_system", "no_system"}
	for _, h := range e.History {
		switch h {
		case "alternate":
			t.Alternate = true
		case "one_system":
			t.OneSystem = true
		case "no_system":
			t.NoSystem = true
		default:
			return at("history", invalidf("", "history: %q is none of %s%s", h, strings.Join(known, ", "), maybe(h, known)))
		}
	}
	switch e.Thoughts {
	case "":
	case "drop":
		t.Thinking = scri.ThinkingNone
	case "text":
		t.Thinking = scri.ThinkingText
	default:
		return at("thoughts", invalidf("", "thoughts: %q is none of drop, text%s", e.Thoughts, maybe(e.Thoughts, []string{"drop", "text"})))
	}
	return nil
}

// MendsCalls reports whether calls of tools that a model writes as text are to be
// made calls: local runtimes do not know every model's way of writing them.
func (p *Provider) MendsCalls() bool {
	if p.entry.MendCalls != nil {
		return *p.entry.MendCalls
	}
	return p.zone == ZoneLocal
}

// Close ends the connections that lie idle. Attempts under way go on.
func (p *Provider) Close() {
	p.transport.CloseIdleConnections()
	p.streams.CloseIdleConnections()
	if p.signer != nil {
		p.signer.close()
	}
}

// Passes reports whether the provider is sent the caller's own credential.
func (p *Provider) Passes() bool { return p.spec.Auth.Scheme == AuthClient }
