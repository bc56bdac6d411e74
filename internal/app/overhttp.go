package app

import (
	"cmp"
	"maps"
	"net/http"
	"reflect"
	"slices"

	"github.com/aratta-gateway/aratta/internal/provider"
	"github.com/aratta-gateway/aratta/scri"
)

// notOverHTTP refuses what is changed in the file alone. Whoever may change the
// configuration over HTTP is any user of this machine; he may not write the file,
// perhaps, and must not thereby run programs as the gateway's user, learn its secrets,
// or have requests go to himself.
func (l *Loaded) notOverHTTP(now *Loaded) error {
	if name := l.startsElse(now); name != "" {
		return keptToFile(name, "what is started on this machine", "manage and command")
	}
	if name := l.leadsElse(now); name != "" {
		return keptToFile(name, "where requests go, and with what key,", "addresses, zones, keys and headers, and what is off,")
	}
	if l.Monitoring.OTLPEndpoint != now.Monitoring.OTLPEndpoint {
		return keptToFile("monitoring.otlp_endpoint", "where traces go", "it")
	}
	if key := l.opensTo(now); key != "" {
		return keptToFile(key, "who may ask, and what may be fetched,", "it")
	}
	return nil
}

// takesElse refuses a text that takes variables of the environment in other places than
// what is in force. That is known before any is looked up: a value that makes no sense
// where it stands would be told as that.
func takesElse(file string, text []byte, now *Loaded) error {
	l := &Loaded{File: file, named: map[string][]string{}, unset: map[string][]string{}}
	if _, err := l.decode(text); err != nil {
		return nil //nolint:nilerr // Read tells
	}
	l.expand(reflect.ValueOf(&l.Config).Elem(), "", func(string) (string, bool) { return "", false })
	for _, key := range slices.Sorted(maps.Keys(l.named)) {
		for _, name := range l.named[key] {
			if !slices.Contains(now.named[key], name) {
				return keptToFile(key+": ${"+name+"}", "what is taken from the environment", "what names it")
			}
		}
	}
	return nil
}

func keptToFile(where, what, change string) error {
	return &scri.Error{
		Kind: scri.ErrPermission, Status: http.StatusForbidden, Message: where + ": " + what + " is not changed over HTTP",
		Hint: "change " + change + " in the file itself",
	}
}

// startsElse names a runtime of which another program is started.
func (l *Loaded) startsElse(now *Loaded) string {
	for _, table := range []map[string]provider.Entry{l.Local, now.Local} {
		for name := range table {
			a, b := l.Local[name], now.Local[name]
			if a.Manage != b.Manage || !slices.Equal(a.Command, b.Command) || a.Manage && cmp.Or(a.Type, name) != cmp.Or(b.Type, name) {
				return "local." + name
			}
		}
	}
	return ""
}

// leadsElse names a provider of which requests go to another place, through another
// one, or with another secret; one that is taken out, too, as its name might mean what
// the catalogue says then; and a runtime that was off, as anybody can listen at its usual
// place. What the catalogue says of a new one may be taken.
func (l *Loaded) leadsElse(now *Loaded) string {
	for _, t := range []struct {
		name      string
		next, was map[string]provider.Entry
	}{{"local", l.Local, now.Local}, {"providers", l.Providers, now.Providers}} {
		for _, table := range []map[string]provider.Entry{t.next, t.was} {
			for name := range table {
				a, there := t.next[name]
				b, known := t.was[name]
				if there && known && cmp.Or(a.Type, name) != cmp.Or(b.Type, name) || t.name == "local" && wants(&a) && !wants(&b) ||
					a.BaseURL != b.BaseURL || a.Zone != b.Zone || a.Proxy != b.Proxy || a.CAFile != b.CAFile ||
					a.APIKeyEnv != b.APIKeyEnv || a.APIKeyFile != b.APIKeyFile || a.Auth != b.Auth ||
					!maps.Equal(a.Params, b.Params) || !maps.Equal(a.Headers, b.Headers) {
					return t.name + "." + name
				}
			}
		}
	}
	return ""
}

// opensTo names a key by which others may ask, or more may be fetched.
func (l *Loaded) opensTo(now *Loaded) string {
	a, b := &l.Server, &now.Server
	switch {
	case !slices.Equal(a.TrustedNetworks, b.TrustedNetworks):
		return "server.trusted_networks"
	case !slices.Equal(a.CORSOrigins, b.CORSOrigins):
		return "server.cors_origins"
	case a.TLSCert != b.TLSCert || a.TLSKey != b.TLSKey:
		return keyCert
	case !slices.Equal(l.Media.AllowHosts, now.Media.AllowHosts):
		return "media.allow_hosts"
	case !slices.Equal(l.Media.AllowNetworks, now.Media.AllowNetworks):
		return "media.allow_networks"
	default:
		return ""
	}
}
