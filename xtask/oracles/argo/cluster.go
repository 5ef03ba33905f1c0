package main

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"sort"
	"strings"
	gosync "sync"

	"github.com/argoproj/gitops-engine/pkg/utils/kube"
	"github.com/argoproj/gitops-engine/pkg/utils/kube/kubetest"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/rest"
	cmdutil "k8s.io/kubectl/pkg/cmd/util"
	"k8s.io/kubectl/pkg/util/openapi"
)

// cluster is as much of a cluster as the sync context touches: objects in memory behind its kubectl
// interface, and a small API server for the discovery and dynamic clients that it makes for itself.
type cluster struct {
	kubetest.MockKubectlCmd
	request *simulation
	server  *httptest.Server
	kinds   map[schema.GroupVersionKind]bool

	lock    gosync.Mutex
	objects map[kube.ResourceKey]*unstructured.Unstructured
	age     map[kube.ResourceKey]int
	actions []string
}

var clusterScopedKinds = []string{
	"Namespace", "PersistentVolume", "Node", "CustomResourceDefinition", "ClusterRole", "ClusterRoleBinding", "StorageClass",
	"IngressClass", "PriorityClass", "RuntimeClass", "APIService", "MutatingWebhookConfiguration", "ValidatingWebhookConfiguration",
}

func newCluster(request *simulation, targets, live []*unstructured.Unstructured) *cluster {
	w := &cluster{
		request: request,
		kinds:   map[schema.GroupVersionKind]bool{{Version: "v1", Kind: "Namespace"}: true},
		objects: map[kube.ResourceKey]*unstructured.Unstructured{},
		age:     map[kube.ResourceKey]int{},
	}
	for _, obj := range slices.Concat(targets, live) {
		w.kinds[obj.GroupVersionKind()] = true
	}
	for _, obj := range live {
		w.put(obj)
	}
	w.server = httptest.NewServer(http.HandlerFunc(w.serve))
	return w
}

func (w *cluster) IsNamespaced(gk schema.GroupKind) (bool, error) {
	return !slices.Contains(clusterScopedKinds, gk.Kind) && !slices.Contains(w.request.ClusterScoped, gk.Kind), nil
}

func (w *cluster) key(obj *unstructured.Unstructured) kube.ResourceKey {
	key := kube.GetResourceKey(obj)
	if namespaced, _ := w.IsNamespaced(obj.GroupVersionKind().GroupKind()); !namespaced {
		key.Namespace = ""
	}
	return key
}

func (w *cluster) put(obj *unstructured.Unstructured) {
	stored := obj.DeepCopy()
	key := w.key(stored)
	stored.SetNamespace(key.Namespace)
	if stored.GetUID() == "" {
		// Without one, Reconcile takes all live objects for copies of each other.
		unstructured.SetNestedField(stored.Object, key.String(), "metadata", "uid")
	}
	w.objects[key] = stored
	w.age[key] = 0
}

func (w *cluster) liveByKey() map[kube.ResourceKey]*unstructured.Unstructured {
	copies := map[kube.ResourceKey]*unstructured.Unstructured{}
	for key, obj := range w.objects {
		copies[key] = obj.DeepCopy()
	}
	return copies
}

func (w *cluster) tick() {
	for key := range w.age {
		w.age[key]++
	}
}

func (w *cluster) record(verb string, key kube.ResourceKey) {
	w.actions = append(w.actions, verb+" "+key.Kind+" "+key.Namespace+"/"+key.Name)
}

// takeActions gives what was done since the last call; what Argo CD does at once is sorted.
func (w *cluster) takeActions() []string {
	w.lock.Lock()
	defer w.lock.Unlock()
	taken := w.actions
	w.actions = nil
	verbAndKind := func(action string) string { return action[:strings.LastIndex(action, " ")] }
	for start := 0; start < len(taken); {
		end := start
		for end < len(taken) && verbAndKind(taken[end]) == verbAndKind(taken[start]) {
			end++
		}
		sort.Strings(taken[start:end])
		start = end
	}
	return slices.Clip(append([]string{}, taken...))
}

func (w *cluster) write(verb string, obj *unstructured.Unstructured, dryRun cmdutil.DryRunStrategy) (string, error) {
	w.lock.Lock()
	defer w.lock.Unlock()
	if slices.Contains(w.request.Fail, nameOf(obj)) {
		return "", errors.New(nameOf(obj) + " is refused")
	}
	if dryRun == cmdutil.DryRunNone {
		w.record(verb, w.key(obj))
		w.put(obj)
	}
	return nameOf(obj) + " configured", nil
}

// The kubectl interfaces of gitops-engine.

func (w *cluster) ManageResources(*rest.Config, openapi.Resources) (kube.ResourceOperations, func(), error) {
	return w.operations(), func() {}, nil
}

type operations struct{ *cluster }

func (w *cluster) operations() kube.ResourceOperations { return operations{w} }

func (o operations) ApplyResource(_ context.Context, obj *unstructured.Unstructured, dryRun cmdutil.DryRunStrategy, force, _, serverSide bool, _ string) (string, error) {
	verb := "apply"
	if serverSide {
		verb = "apply-server-side"
	}
	if force {
		verb += "-force"
	}
	return o.write(verb, obj, dryRun)
}

func (o operations) ReplaceResource(_ context.Context, obj *unstructured.Unstructured, dryRun cmdutil.DryRunStrategy, force bool) (string, error) {
	if force {
		return o.write("replace-force", obj, dryRun)
	}
	return o.write("replace", obj, dryRun)
}

func (o operations) CreateResource(_ context.Context, obj *unstructured.Unstructured, dryRun cmdutil.DryRunStrategy, _ bool) (string, error) {
	return o.write("create", obj, dryRun)
}

func (o operations) UpdateResource(_ context.Context, obj *unstructured.Unstructured, dryRun cmdutil.DryRunStrategy) (*unstructured.Unstructured, error) {
	_, err := o.write("update", obj, dryRun)
	return obj, err
}

func (w *cluster) GetResource(_ context.Context, _ *rest.Config, gvk schema.GroupVersionKind, name, namespace string) (*unstructured.Unstructured, error) {
	w.lock.Lock()
	defer w.lock.Unlock()
	if obj, ok := w.objects[kube.NewResourceKey(gvk.Group, gvk.Kind, namespace, name)]; ok {
		return obj.DeepCopy(), nil
	}
	return nil, apierrors.NewNotFound(schema.GroupResource{Group: gvk.Group, Resource: gvk.Kind}, name)
}

func (w *cluster) DeleteResource(_ context.Context, _ *rest.Config, gvk schema.GroupVersionKind, name, namespace string, _ metav1.DeleteOptions) error {
	w.lock.Lock()
	defer w.lock.Unlock()
	return w.remove(kube.NewResourceKey(gvk.Group, gvk.Kind, namespace, name))
}

func (w *cluster) remove(key kube.ResourceKey) error {
	obj, ok := w.objects[key]
	if !ok {
		return apierrors.NewNotFound(schema.GroupResource{Group: key.Group, Resource: key.Kind}, key.Name)
	}
	w.record("delete", key)
	if len(obj.GetFinalizers()) > 0 {
		now := metav1.Now()
		obj.SetDeletionTimestamp(&now)
		return nil
	}
	delete(w.objects, key)
	return nil
}

// The API server: discovery of the kinds of the request, and GET, PUT and DELETE of single objects.
// A resource is called as its kind in lower case.

func (w *cluster) serve(out http.ResponseWriter, in *http.Request) {
	w.lock.Lock()
	defer w.lock.Unlock()
	parts := strings.Split(strings.Trim(in.URL.Path, "/"), "/")
	gv := schema.GroupVersion{}
	switch {
	case parts[0] == "api" && len(parts) >= 2:
		gv.Version, parts = parts[1], parts[2:]
	case parts[0] == "apis" && len(parts) >= 3:
		gv.Group, gv.Version, parts = parts[1], parts[2], parts[3:]
	default:
		notFound(out)
		return
	}
	if len(parts) == 0 {
		w.discover(out, gv)
		return
	}
	namespace := ""
	if parts[0] == "namespaces" && len(parts) >= 4 {
		namespace, parts = parts[1], parts[2:]
	}
	if len(parts) < 2 {
		notFound(out)
		return
	}
	for gvk := range w.kinds {
		if gvk.GroupVersion() == gv && resourceName(gvk.Kind) == parts[0] {
			w.serveObject(out, in, kube.NewResourceKey(gvk.Group, gvk.Kind, namespace, parts[1]))
			return
		}
	}
	notFound(out)
}

func resourceName(kind string) string {
	if kind == "CustomResourceDefinition" {
		return "customresourcedefinitions"
	}
	return strings.ToLower(kind)
}

func (w *cluster) discover(out http.ResponseWriter, gv schema.GroupVersion) {
	list := metav1.APIResourceList{TypeMeta: metav1.TypeMeta{Kind: "APIResourceList", APIVersion: "v1"}, GroupVersion: gv.String()}
	for gvk := range w.kinds {
		if gvk.GroupVersion() == gv {
			namespaced, _ := w.IsNamespaced(gvk.GroupKind())
			list.APIResources = append(list.APIResources, metav1.APIResource{
				Name: resourceName(gvk.Kind), Kind: gvk.Kind, Namespaced: namespaced,
				Verbs: metav1.Verbs{"get", "list", "watch", "create", "update", "patch", "delete"},
			})
		}
	}
	if len(list.APIResources) == 0 {
		notFound(out)
		return
	}
	answerJSON(out, http.StatusOK, list)
}

func (w *cluster) serveObject(out http.ResponseWriter, in *http.Request, key kube.ResourceKey) {
	obj, ok := w.objects[key]
	if !ok {
		notFound(out)
		return
	}
	switch in.Method {
	case http.MethodPut:
		updated := &unstructured.Unstructured{}
		if err := json.NewDecoder(in.Body).Decode(&updated.Object); err != nil {
			notFound(out)
			return
		}
		w.objects[key] = updated
		if updated.GetDeletionTimestamp() != nil && len(updated.GetFinalizers()) == 0 {
			delete(w.objects, key)
		}
		answerJSON(out, http.StatusOK, updated.Object)
	case http.MethodDelete:
		_ = w.remove(key)
		answerJSON(out, http.StatusOK, metav1.Status{TypeMeta: metav1.TypeMeta{Kind: "Status", APIVersion: "v1"}, Status: "Success"})
	default:
		shown := obj.DeepCopy()
		if key.Kind == "CustomResourceDefinition" {
			established := map[string]any{"type": "Established", "status": "True"}
			_ = unstructured.SetNestedSlice(shown.Object, []any{established}, "status", "conditions")
		}
		answerJSON(out, http.StatusOK, shown.Object)
	}
}

func notFound(out http.ResponseWriter) {
	answerJSON(out, http.StatusNotFound, metav1.Status{
		TypeMeta: metav1.TypeMeta{Kind: "Status", APIVersion: "v1"},
		Status:   "Failure", Reason: metav1.StatusReasonNotFound, Code: http.StatusNotFound, Message: "not found",
	})
}

func answerJSON(out http.ResponseWriter, code int, body any) {
	out.Header().Set("Content-Type", "application/json")
	out.WriteHeader(code)
	_ = json.NewEncoder(out).Encode(body)
}
