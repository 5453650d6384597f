package rabbit_test

import "testing"

// TestOneWorkerAtATimeHasALock, and who dies gives it back.
func TestOneWorkerAtATimeHasALock(t *testing.T) {
	url := broker(t)
	one, _ := connected(t, url)
	two, _ := connected(t, url)
	unlock, ok, err := one.Lock(t.Context(), "test")
	if err != nil || !ok {
		t.Fatal(ok, err)
	}
	if _, ok, err := two.Lock(t.Context(), "test"); ok || err != nil {
		t.Fatalf("a second worker has it as well: %v, %v", ok, err)
	}
	unlock()
	if _, ok, err = two.Lock(t.Context(), "test"); err != nil || !ok {
		t.Fatalf("it was not given back: %v", err)
	}
	two.Close()
	if unlock, ok, err = one.Lock(t.Context(), "test"); err != nil || !ok {
		t.Fatalf("a worker that is gone has it still: %v", err)
	}
	unlock()
}
