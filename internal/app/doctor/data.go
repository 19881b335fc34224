package doctor

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"github.com/culvert-net/culvert/internal/app"
	"github.com/culvert-net/culvert/internal/files"
)

// Data looks at a data directory. running says that a program is known to run there;
// setUp is the command that makes the directory; secret are files in it that
// nobody else may read.
func Data(dir, program string, running bool, setUp string, secret ...string) []Finding {
	s, err := app.InspectData(dir, program)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return []Finding{Warn("Set it up: "+setUp+"; or name the one you have with --data DIR.", "%s does not exist", dir)}
	case err != nil:
		return []Finding{Bad("Choose another directory with --data DIR.", "%v", err)}
	}
	var out []Finding
	if s.Mode&0o077 != 0 {
		out = append(out, Warn(app.Shell("chmod", "700", dir), "%s can be entered by other users of this machine (mode %04o)", dir, s.Mode))
	}
	if !s.Writable {
		out = append(out, Bad("Give it to the user who runs the "+program+": "+app.Shell("sudo", "chown", "-R", "USER", dir), "%s cannot be written to by this user", dir))
	}
	if s.Format != nil {
		out = append(out, Bad("Use the directory with the program that made it, or another one with --data DIR.", "%v", s.Format))
	}
	for _, name := range secret {
		path := filepath.Join(dir, name)
		if err := files.CheckPrivate(path); errors.Is(err, files.ErrNotPrivate) {
			out = append(out, Bad(app.Shell("chmod", "600", path), "%s can be read by other users of this machine", path))
		}
	}
	if s.InUse && !running {
		out = append(out, Bad(fmt.Sprintf("Find it: %s; stop it, then start the %s again.", app.Shell("lsof", filepath.Join(dir, "LOCK")), program),
			"%s is held by a program that does not answer at its admin.sock", dir))
	}
	if len(out) == 0 {
		out = append(out, Fine("%s", dir))
	}
	return out
}
