package kit

import "trustpool/internal/durable"

// Unpack writes the files of a kit to a directory that must not be there yet: all
// of them, or none.
func (k *Kit) Unpack(disk *durable.Disk, dir string) error {
	return disk.Tree(dir, func(t *durable.Tree) error {
		for _, p := range k.paths {
			if err := t.Write(p, mode(p), k.copy(p)); err != nil {
				return err
			}
		}
		return nil
	})
}
