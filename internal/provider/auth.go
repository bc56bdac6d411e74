package provider

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
)

// maxKey bounds a key file.
const maxKey = 16 << 10

// secret is a key. However it is printed, it does not show.
type secret string

// String hides the key.
func (secret) String() string { return "***" }

// GoString hides the key.
func (secret) GoString() string { return "***" }

// MarshalText hides the key.
func (secret) MarshalText() ([]byte, error) { return []byte("***"), nil }

// scrub removes the key from a text that came from elsewhere.
func (s secret) scrub(text string) string {
	if len(s) < 6 { // so short that it would hit innocent words
		return text
	}
	return strings.ReplaceAll(text, string(s), "***")
}

// longName is from which length on a name of all kinds of letters is taken for a key.
const longName = 30

// namesVariable reports whether a text can be the name of an environment variable, and
// does not look like the key that was meant to be in it.
func namesVariable(s string) bool {
	var upper, lower, digit bool
	for i, c := range s {
		switch {
		case c >= 'A' && c <= 'Z':
			upper = true
		case c >= 'a' && c <= 'z':
			lower = true
		case c >= '0' && c <= '9' && i > 0:
			digit = true
		case c == '_', c == '.' && i > 0:
		default:
			return false
		}
	}
	return s != "" && (len(s) < longName || !upper || !lower || !digit)
}

// findKey looks for the key where the entry or the catalogue says it is. reason
// tells, for people, why there is none.
func findKey(auth Auth, e *Entry, d *Deps) (key secret, reason string) {
	env := auth.Env
	if e.APIKeyEnv != "" {
		env = e.APIKeyEnv
	}
	switch {
	case auth.Scheme == AuthNone, auth.Scheme == AuthClient:
		return "", ""
	case e.APIKeyFile != "":
		raw, err := readKey(e.APIKeyFile)
		if err != nil {
			return "", err.Error()
		}
		return cleanKey(auth.Scheme, raw, "the file in api_key_file")
	case env == "":
		if auth.Optional {
			return "", ""
		}
		return "", "no key: set api_key_env to the name of the environment variable that holds it"
	}
	raw, ok := d.lookupEnv(env)
	if !ok || strings.TrimSpace(raw) == "" {
		if auth.Optional && e.APIKeyEnv == "" {
			return "", ""
		}
		return "", fmt.Sprintf("no key: the environment variable %s is not set", env)
	}
	where := "the environment variable " + env
	if auth.Scheme == AuthGoogle && !strings.HasPrefix(strings.TrimSpace(raw), "{") { // it names a file, as Google's own programs have it
		content, err := readKey(strings.TrimSpace(raw))
		if err != nil {
			return "", strings.ReplaceAll(err.Error(), "api_key_file", "the environment variable "+env)
		}
		raw, where = content, "the file in "+where
	}
	return cleanKey(auth.Scheme, raw, where)
}

func readKey(file string) (raw string, err error) {
	f, err := os.Open(file)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return "", errors.New("no key: the file in api_key_file does not exist")
		}
		return "", errors.New("no key: the file in api_key_file cannot be read")
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxKey+1))
	if err != nil || len(b) > maxKey {
		return "", errors.New("no key: the file in api_key_file cannot be read, or is too large for a key")
	}
	return string(b), nil
}

func cleanKey(scheme, raw, where string) (secret, string) {
	raw = strings.TrimSpace(raw)
	if raw == "" {
		return "", "no key: " + where + " is empty"
	}
	if scheme == AuthGoogle { // a JSON document, which is never sent
		return secret(raw), ""
	}
	for i := range len(raw) {
		if raw[i] < 0x20 || raw[i] >= 0x7f {
			return "", "no key: " + where + " holds characters that no key has"
		}
	}
	return secret(raw), ""
}
