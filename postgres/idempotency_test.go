package postgres

import "testing"

func TestARequestIsDoneWhenItHasChangedSomethingAndNotWhenItHasLooked(t *testing.T) {
	address := newDatabase(t)
	owner := openStore(t, address)
	addTenant(t, owner, "one")
	scoped, err := OpenAPI(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(scoped.Close)
	hash, request := KeyHash("of this test"), []byte("what it asks for")
	ctx := WithScope(testContext(t), Scope{Tenant: "one", Actor: "key/k", Once: hash})
	if begun, err := owner.BeginOnce(ctx, "key/k", hash, request); err != nil || !begun.Begun {
		t.Fatalf("%+v, %v", begun, err)
	}
	done := func() bool {
		t.Helper()
		r, err := owner.BeginOnce(ctx, "key/k", hash, request)
		if err != nil {
			t.Fatal(err)
		}
		return r.Done
	}
	if err := scoped.Change(ctx, func(tx *Tx) error { _, err := tx.TenantRow(ctx, "one"); return err }); err != nil {
		t.Fatal(err)
	}
	if done() {
		t.Error("a look at the tenant counts as the change")
	}
	if err := scoped.Change(ctx, func(tx *Tx) error { return tx.SetSuspended(ctx, "one", true) }); err != nil {
		t.Fatal(err)
	}
	if !done() {
		t.Error("the change is not noted")
	}
}
