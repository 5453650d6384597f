package rabbit

import (
	"bytes"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"time"

	"tandem/messages"
)

// Bounds of the spool.
const (
	MaxSpoolFileBytes = 4 << 20 // then the next file is begun; a whole file is read at once when it is drained
	MaxSpoolFiles     = 4096    // beyond it (16 GiB) CDRs stay in memory
)

// errSpoolFull is met when MaxSpoolFiles wait to be drained.
var errSpoolFull = errors.New("rabbit: the spool is full")

const (
	spoolSuffix   = ".spool"
	damagedSuffix = ".damaged" // a file that held unreadable lines before its last one: kept for a person to look at
	// spoolHeader is the length of "LLLLLLLL CCCCCCCC ": body length and checksum (CRC-32C), eight hex digits each.
	spoolHeader = 18
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// spool keeps messages in files of lines, each with its length and checksum, until they have been sent:
//
//	append: write, fsync ---> current file ---> sealed file ---> load: all its messages ---> drop: removed
//
// After a crash the last line of a file may be torn. It had not been promised to anybody, so it is left out. One process
// at a time holds a spool's folder. A spool has one owner and needs no lock.
type spool struct {
	dir     string
	lock    *os.File
	current *os.File
	size    int      // bytes in current
	name    string   // of current
	sealed  []string // names, oldest first
	made    int      // files made by this process: keeps names apart and in order
}

func openSpool(dir string) (*spool, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("rabbit: make the spool folder: %w", err)
	}
	lock, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("rabbit: lock the spool folder: %w", err)
	}
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, errors.Join(fmt.Errorf("rabbit: another process holds the spool folder %s: %w", dir, err), lock.Close())
	}
	found, err := filepath.Glob(filepath.Join(dir, "*"+spoolSuffix))
	if err != nil {
		return nil, errors.Join(fmt.Errorf("rabbit: list the spool folder: %w", err), lock.Close())
	}
	slices.Sort(found) // names begin with the time at which they were made
	return &spool{dir: dir, lock: lock, sealed: found}, nil
}

// append makes the bodies safe: nil means that they are on the disk. After an error some may be; all may be given again.
func (s *spool) append(bodies [][]byte) error {
	if s.current == nil {
		if err := s.begin(); err != nil {
			return err
		}
	}
	var lines []byte
	for _, body := range bodies {
		lines = fmt.Appendf(lines, "%08x %08x ", len(body), crc32.Checksum(body, castagnoli))
		lines = append(append(lines, body...), '\n')
	}
	_, err := s.current.Write(lines)
	if err == nil {
		err = s.current.Sync()
	}
	if err != nil {
		// What the file holds from before is whole; what follows a failed write or fsync is not to be relied upon.
		s.seal()
		return fmt.Errorf("rabbit: spool: %w", err)
	}
	if s.size += len(lines); s.size >= MaxSpoolFileBytes {
		s.seal()
	}
	return nil
}

func (s *spool) begin() error {
	if len(s.sealed) >= MaxSpoolFiles {
		return errSpoolFull
	}
	s.made++
	name := filepath.Join(s.dir, fmt.Sprintf("cdr-%020d-%06d%s", time.Now().UnixNano(), s.made, spoolSuffix))
	file, err := os.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("rabbit: begin a spool file: %w", err)
	}
	s.current, s.name, s.size = file, name, 0
	if err := s.syncFolder(); err != nil {
		s.seal()
		return err
	}
	return nil
}

// seal ends the current file, so that it can be drained.
func (s *spool) seal() {
	if s.current == nil {
		return
	}
	_ = s.current.Close() // what counts has been fsynced
	s.sealed = append(s.sealed, s.name)
	s.current = nil
}

// empty reports whether nothing waits to be drained.
func (s *spool) empty() bool { return s.current == nil && len(s.sealed) == 0 }

// load returns the messages of the oldest file and how many of its lines could not be read, a torn last line aside.
func (s *spool) load() (bodies [][]byte, damaged int, err error) {
	if len(s.sealed) == 0 {
		s.seal()
	}
	if len(s.sealed) == 0 {
		return nil, 0, nil
	}
	content, err := os.ReadFile(s.sealed[0])
	if err != nil {
		return nil, 0, fmt.Errorf("rabbit: read a spool file: %w", err)
	}
	bodies, damaged = parseSpool(content)
	return bodies, damaged, nil
}

// parseSpool reads what append wrote.
func parseSpool(content []byte) (bodies [][]byte, damaged int) {
	for len(content) > 0 {
		line, rest, whole := bytes.Cut(content, []byte{'\n'})
		content = rest
		body, ok := parseSpoolLine(line)
		switch {
		case ok && whole:
			bodies = append(bodies, body)
		case whole:
			damaged++
		}
	}
	return bodies, damaged
}

func parseSpoolLine(line []byte) ([]byte, bool) {
	if len(line) < spoolHeader || line[8] != ' ' || line[17] != ' ' {
		return nil, false
	}
	length, err := strconv.ParseUint(string(line[:8]), 16, 32)
	if err != nil {
		return nil, false
	}
	sum, err := strconv.ParseUint(string(line[9:17]), 16, 32)
	body := line[spoolHeader:]
	if err != nil || length > messages.MaxMessageBytes || uint64(len(body)) != length {
		return nil, false
	}
	return body, crc32.Checksum(body, castagnoli) == uint32(sum)
}

// drop removes the oldest file after its messages have been sent, or sets it aside for a person.
func (s *spool) drop(setAside bool) error {
	name := s.sealed[0]
	s.sealed = s.sealed[1:]
	var err error
	if setAside {
		err = os.Rename(name, name+damagedSuffix)
	} else {
		err = os.Remove(name)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("rabbit: remove a drained spool file: %w", err)
	}
	return s.syncFolder()
}

func (s *spool) syncFolder() error {
	folder, err := os.Open(s.dir)
	if err != nil {
		return fmt.Errorf("rabbit: fsync the spool folder: %w", err)
	}
	if err := errors.Join(folder.Sync(), folder.Close()); err != nil {
		return fmt.Errorf("rabbit: fsync the spool folder: %w", err)
	}
	return nil
}

// close gives the folder up. Its files stay for the next process.
func (s *spool) close() error {
	s.seal()
	return s.lock.Close() // releases the lock
}
