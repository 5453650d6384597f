package stack

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

const (
	folderPrefix = "tandem-"
	lockName     = "owner"
	// leastFreeMB is what a stack and a test run write in the worst case.
	leastFreeMB = 512
	// longestFolder leaves room for PostgreSQL's socket in the 107 bytes that a
	// Unix socket's path may have (unix(7)).
	longestFolder = 107 - len("/postgres/.s.PGSQL.65535.lock")
)

// folder is a stack's place on disk, locked as long as its owner lives.
type folder struct {
	path string
	lock *os.File
}

// openFolder makes and locks the folder. An empty path means a new one in the
// folder for temporary files. The accounts of PostgreSQL and RabbitMQ must be
// able to reach it; when they cannot, another place is taken and out says so.
func openFolder(path string, out io.Writer) (folder, error) {
	path, err := chooseFolder(path, out)
	if err != nil {
		return folder{}, err
	}
	if err := checkSpace(path); err != nil {
		return folder{}, err
	}
	lock, err := lockFolder(path)
	if err != nil {
		return folder{}, err
	}
	return folder{path: path, lock: lock}, nil
}

func chooseFolder(path string, out io.Writer) (string, error) {
	if path == "" {
		parent := os.TempDir()
		if !reachable(parent) || len(parent)+len("/tandem-4294967295") > longestFolder {
			parent = "/tmp"
		}
		sweep(parent)
		path, err := os.MkdirTemp(parent, folderPrefix)
		if err != nil {
			return "", fmt.Errorf("make a folder for the stack: %w", err)
		}
		return path, os.Chmod(path, 0o755)
	}
	path, err := filepath.Abs(path)
	if err != nil {
		return "", fmt.Errorf("folder of the stack: %w", err)
	}
	if !reachable(filepath.Dir(path)) || len(path) > longestFolder {
		wanted := path
		sum := sha256.Sum256([]byte(wanted))
		path = fmt.Sprintf("/var/tmp/%s%x", folderPrefix, sum[:4])
		fmt.Fprintf(out, "%s cannot hold databases (other accounts cannot enter it, or its path is too long): using %s\n", wanted, path)
	}
	if err := os.MkdirAll(path, 0o755); err != nil {
		return "", fmt.Errorf("make a folder for the stack: %w", err)
	}
	// The name may be predictable in a folder where everybody may write.
	info, err := os.Lstat(path)
	if err != nil {
		return "", fmt.Errorf("folder of the stack: %w", err)
	}
	if owner, ok := info.Sys().(*syscall.Stat_t); !info.IsDir() || !ok || int(owner.Uid) != os.Geteuid() {
		return "", fmt.Errorf("%s is not a folder of this account: remove it or choose another folder", path)
	}
	return path, nil
}

// reachable reports whether every account may pass through the folder. Only
// root starts programs under other accounts.
func reachable(path string) bool {
	if os.Geteuid() != 0 {
		return true
	}
	for ; ; path = filepath.Dir(path) {
		info, err := os.Stat(path)
		switch {
		case errors.Is(err, fs.ErrNotExist): // we shall make it, and passable
		case err != nil || info.Mode().Perm()&0o001 == 0:
			return false
		}
		if path == "/" {
			return true
		}
	}
}

func checkSpace(path string) error {
	var disk syscall.Statfs_t
	if err := syscall.Statfs(path, &disk); err != nil {
		return fmt.Errorf("free space of %s: %w", path, err)
	}
	if free := disk.Bavail * uint64(disk.Bsize) >> 20; free < leastFreeMB {
		return fmt.Errorf("only %d MB free in %s and a stack needs %d MB: free some, or point TMPDIR at a larger disk", free, path, leastFreeMB)
	}
	return nil
}

// lockFolder takes the folder for this process. The lock falls with the
// process, however it ends. It is taken under another name first, so that a
// sweep never finds a new folder unlocked.
func lockFolder(path string) (*os.File, error) {
	name := filepath.Join(path, lockName)
	if old, err := os.OpenFile(name, os.O_RDWR, 0); err == nil {
		if lockErr := flock(old); lockErr != nil {
			pid, _ := io.ReadAll(io.LimitReader(old, 20))
			old.Close()
			return nil, fmt.Errorf("%s is in use by process %s: end it, or choose another folder", path, strings.TrimSpace(string(pid)))
		}
		return old, writePid(old)
	}
	file, err := os.CreateTemp(path, lockName)
	if err != nil {
		return nil, fmt.Errorf("lock %s: %w", path, err)
	}
	if err := errors.Join(flock(file), writePid(file), os.Rename(file.Name(), name)); err != nil {
		file.Close()
		return nil, fmt.Errorf("lock %s: %w", path, err)
	}
	return file, nil
}

func flock(file *os.File) error {
	return syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
}

func writePid(file *os.File) error {
	if err := file.Truncate(0); err != nil {
		return err
	}
	_, err := file.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0)
	return err
}

// sweep removes the folders of stacks whose owners were killed. It touches
// only folders of this account that hold a lock file which nobody locks.
func sweep(parent string) {
	names, err := filepath.Glob(filepath.Join(parent, folderPrefix+"*", lockName))
	if err != nil {
		return
	}
	for _, name := range names {
		file, err := os.OpenFile(name, os.O_RDWR|syscall.O_NOFOLLOW, 0)
		if err != nil {
			continue
		}
		info, err := file.Stat()
		if err == nil && int(info.Sys().(*syscall.Stat_t).Uid) == os.Geteuid() && flock(file) == nil {
			_ = os.RemoveAll(filepath.Dir(name))
		}
		file.Close()
	}
}

// sub makes a folder inside for the program of the given account.
func (f folder) sub(name string, owner *syscall.Credential) (string, error) {
	path := filepath.Join(f.path, name)
	if err := os.MkdirAll(path, 0o755); err != nil {
		return "", fmt.Errorf("make %s: %w", path, err)
	}
	return path, own(path, owner)
}

// own gives a file to an account and to it alone.
func own(path string, owner *syscall.Credential) error {
	if owner == nil {
		return nil
	}
	if err := os.Chown(path, int(owner.Uid), int(owner.Gid)); err != nil {
		return fmt.Errorf("give %s to its account: %w", path, err)
	}
	return nil
}

// close lets go of the folder; remove also removes it.
func (f folder) close(remove bool) error {
	var err error
	if remove {
		err = os.RemoveAll(f.path)
	}
	return errors.Join(err, f.lock.Close())
}

// account is the account of a Debian package's server when we are root, and
// nil, meaning our own, when we are not.
func account(name string) (*syscall.Credential, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	entry, err := user.Lookup(name)
	if err != nil {
		return nil, fmt.Errorf("account %s of its Debian package: %w", name, err)
	}
	uid, err := strconv.ParseUint(entry.Uid, 10, 32)
	if err != nil {
		return nil, fmt.Errorf("account %s: %w", name, err)
	}
	gid, err := strconv.ParseUint(entry.Gid, 10, 32)
	if err != nil {
		return nil, fmt.Errorf("account %s: %w", name, err)
	}
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
}
