package server

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"strings"

	"github.com/aratta-gateway/aratta/scri"
)

// Config shows and changes the configuration of the running gateway.
type Config interface {
	// Text is the configuration as its file has it now, and the file's name. While
	// the file has a mistake, another is in force.
	Text() (text []byte, file string)
	// Replace checks a text, writes it to the file and puts it into force. If the
	// file's text does not fit, it changes nothing and returns an error of
	// status 412. Neither does a text that is wrong: an error of kind invalid.
	Replace(ctx context.Context, text []byte, fits func(have []byte) bool) (*Reloaded, error)
	// Reload puts into force what the file says now.
	Reload(ctx context.Context) (*Reloaded, error)
}

// Reloaded is what came of a change.
type Reloaded struct {
	Text     []byte   `json:"-"`
	Warnings []string `json:"warnings"`
	Later    []string `json:"at_next_start"` // keys that changed and are not in force yet
}

const (
	configPath = "/api/v1/config"
	maxConfig  = 4 << 20
)

// own is the handler of what only the gateway's own people may do: those on the
// same machine. A key is for clients, and must not be enough to send everybody's
// requests elsewhere.
func (s *Server) own(op scri.Op, do teller) http.Handler {
	return s.told(op, func(w http.ResponseWriter, r *http.Request) (int, *scri.Error) {
		// A name of the local network is good enough to ask, and who gives such names could point one here.
		if loopback, _ := s.access.peer(r); !loopback || proxied(r.Header) != "" || !ownHost(r.Host) {
			return 0, &scri.Error{
				Kind: scri.ErrPermission, Message: "the configuration is shown and changed on the gateway's own machine alone, whatever the key",
				Hint: "ask there, at the address 127.0.0.1",
			}
		}
		if origin := r.Header.Get("Origin"); origin != "" && !sameHost(origin, r.Host) {
			return 0, &scri.Error{
				Kind: scri.ErrPermission, Message: "the configuration is not shown to web pages of other addresses, nor changed by them",
				Hint: "use a program, such as curl",
			}
		}
		return do(w, r)
	})
}

func (s *Server) showConfig(w http.ResponseWriter, r *http.Request) (int, *scri.Error) {
	text, file := s.opt.Config.Text()
	tag := etag(text)
	w.Header().Set("Etag", tag)
	if matches(r.Header.Get("If-None-Match"), tag) {
		w.WriteHeader(http.StatusNotModified)
		return http.StatusNotModified, nil
	}
	mime := "application/toml"
	if strings.HasSuffix(file, ".yaml") || strings.HasSuffix(file, ".yml") {
		mime = "application/yaml"
	}
	w.Header().Set("Content-Type", mime)
	_, _ = w.Write(text)
	return http.StatusOK, nil
}

func (s *Server) changeConfig(w http.ResponseWriter, r *http.Request) (int, *scri.Error) {
	want := r.Header.Get("If-Match")
	if want == "" {
		return 0, &scri.Error{
			Kind: scri.ErrInvalid, Status: http.StatusPreconditionRequired, Message: "the header If-Match is missing: it says which text is to be replaced",
			Hint: "GET " + configPath + " and send its ETag back; If-Match: * replaces whatever is there",
		}
	}
	text, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxConfig))
	if err != nil {
		if _, large := errors.AsType[*http.MaxBytesError](err); large {
			return 0, &scri.Error{Kind: scri.ErrInvalid, Status: http.StatusRequestEntityTooLarge, Message: "a configuration has at most 4 MB"}
		}
		return 0, &scri.Error{Kind: scri.ErrInvalid, Message: "the text did not arrive whole", Err: err}
	}
	done, err := s.opt.Config.Replace(r.Context(), text, func(have []byte) bool { return matches(want, etag(have)) })
	return tell(w, done, err)
}

func (s *Server) reloadConfig(w http.ResponseWriter, r *http.Request) (int, *scri.Error) {
	done, err := s.opt.Config.Reload(r.Context())
	return tell(w, done, err)
}

func tell(w http.ResponseWriter, done *Reloaded, err error) (int, *scri.Error) {
	if err != nil {
		return 0, scri.AsError(err)
	}
	list := func(l []string) []string { return append([]string{}, l...) } // [] and not null
	w.Header().Set("Etag", etag(done.Text))
	writeJSON(w, http.StatusOK, Reloaded{Warnings: list(done.Warnings), Later: list(done.Later)})
	return http.StatusOK, nil
}

// etag is the entity tag of a text.
func etag(text []byte) string {
	sum := sha256.Sum256(text)
	return `"` + hex.EncodeToString(sum[:12]) + `"`
}

// matches reports whether a list of entity tags (RFC 9110, 13.1.1) has one in it.
func matches(list, tag string) bool {
	for one := range strings.SplitSeq(list, ",") {
		if one = strings.TrimSpace(one); one == "*" || strings.TrimPrefix(one, "W/") == tag {
			return true
		}
	}
	return false
}
