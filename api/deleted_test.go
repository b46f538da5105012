package api_test

import (
	"testing"
	"time"

	"earshot/api/apitest"
)

// What is open for a project has to end with it: here somebody who waits for
// its log. The sockets are told in the same step.
func TestDeletingAProjectEndsWhatIsOpenForIt(t *testing.T) {
	t.Parallel()
	s := apitest.Start(t, apitest.Unlimited)
	owner, project := s.Project(t)
	path := "/api/v1/projects/" + string(project.ID)
	began := time.Now()
	done := make(chan int, 1)
	go func() { done <- owner.Do(get, path+"/events?wait=20", nil).Status }()
	time.Sleep(300 * time.Millisecond)
	owner.Do("DELETE", path, nil).Want(204)
	if status, took := <-done, time.Since(began); status != 404 || took > 10*time.Second {
		t.Errorf("after %v: status = %d, want 404 at once", took, status)
	}
}
