package overlay

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/aratta-gateway/aratta/scri"
)

// maxFiles bounds the files of a folder.
const maxFiles = 1000

// LoadDir reads a person's overlays: the *.yaml files of a folder. One that does
// not exist holds none. An id may stand in one file only.
func LoadDir(dir string) ([]*Overlay, error) {
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return load(os.DirFS(dir), ".", dir, User)
}

func load(fsys fs.FS, sub, dir string, origin Origin) ([]*Overlay, error) {
	entries, err := fs.ReadDir(fsys, sub)
	if err != nil {
		return nil, fmt.Errorf("read the overlays: %w", err)
	}
	var list []*Overlay
	files := 0
	for _, e := range entries {
		if e.IsDir() || !isOverlayFile(e.Name()) {
			continue
		}
		if files++; files > maxFiles {
			return nil, &scri.Error{Kind: scri.ErrInvalid, Message: fmt.Sprintf("%s: more than %d overlay files", dir, maxFiles)}
		}
		name := filepath.Join(dir, e.Name())
		raw, err := readBounded(fsys, joinPath(sub, e.Name()))
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", name, err)
		}
		more, err := Parse(name, raw, origin)
		if err != nil {
			return nil, err
		}
		for _, o := range more {
			if i := slices.IndexFunc(list, func(p *Overlay) bool { return p.ID == o.ID }); i >= 0 {
				src := &source{file: name}
				return nil, src.fail(o.Line, 1, "overlay %q stands in %s already", o.ID, list[i].File)
			}
			list = append(list, o)
		}
	}
	return list, nil
}

func joinPath(sub, name string) string {
	if sub == "." {
		return name
	}
	return sub + "/" + name
}

func isOverlayFile(name string) bool {
	return !strings.HasPrefix(name, ".") && (strings.HasSuffix(name, ".yaml") || strings.HasSuffix(name, ".yml"))
}

// readBounded reads a file, but not more than Parse would take.
func readBounded(fsys fs.FS, name string) ([]byte, error) {
	info, err := fs.Stat(fsys, name)
	if err != nil {
		return nil, err
	}
	if info.Size() > maxFile {
		return nil, fmt.Errorf("larger than %d bytes", maxFile)
	}
	return fs.ReadFile(fsys, name)
}
