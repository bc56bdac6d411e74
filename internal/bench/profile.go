package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/google/pprof/profile"
)

// mergeProfiles writes the profiles of a folder as one, without the names of the
// machine's own files.
func mergeProfiles(dir, file string) error {
	names, err := filepath.Glob(filepath.Join(dir, "aratta-*.pprof"))
	if err != nil {
		return err
	}
	var all []*profile.Profile
	for _, name := range names {
		p, err := readProfile(name)
		if err != nil {
			return fmt.Errorf("%s: %w", filepath.Base(name), err)
		}
		for _, m := range p.Mapping {
			m.File = filepath.Base(m.File)
		}
		all = append(all, p)
	}
	merged, err := profile.Merge(all)
	if err != nil {
		return err
	}
	f, err := os.Create(file)
	if err != nil {
		return err
	}
	if err := merged.Write(f); err != nil {
		_ = f.Close() // the other error says more
		return err
	}
	return f.Close()
}

func readProfile(name string) (*profile.Profile, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return profile.Parse(f)
}
