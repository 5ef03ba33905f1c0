package main

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/argoproj/gitops-engine/pkg/health"
	"github.com/argoproj/gitops-engine/pkg/sync/hook"
	"github.com/argoproj/gitops-engine/pkg/sync/syncwaves"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/kubernetes/fake"

	applicationpkg "github.com/argoproj/argo-cd/v3/pkg/apiclient/application"
	"github.com/argoproj/argo-cd/v3/pkg/apis/application/v1alpha1"
	"github.com/argoproj/argo-cd/v3/util/argo/diff"
	"github.com/argoproj/argo-cd/v3/util/argo/normalizers"
	"github.com/argoproj/argo-cd/v3/util/lua"
	"github.com/argoproj/argo-cd/v3/util/settings"
)

const controllerNamespace = "argocd"

type meaning struct {
	overrides map[string]v1alpha1.ResourceOverride
	options   settings.ArgoCDDiffOptions
}

// What a ConfigMap's data comes to, by its JSON: parsing starts informers, and most requests of a
// run share their settings.
var meanings = map[string]meaning{}

func meaningOf(data map[string]string) (meaning, error) {
	key, err := json.Marshal(data)
	if err != nil {
		return meaning{}, err
	}
	if known, ok := meanings[string(key)]; ok {
		return known, nil
	}
	labels := map[string]string{"app.kubernetes.io/part-of": "argocd"}
	clientset := fake.NewClientset(
		&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "argocd-cm", Namespace: controllerNamespace, Labels: labels}, Data: data},
		&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "argocd-secret", Namespace: controllerNamespace, Labels: labels}},
	)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	manager := settings.NewSettingsManager(ctx, clientset, controllerNamespace)
	overrides, err := manager.GetResourceOverrides()
	if err != nil {
		return meaning{}, err
	}
	options, err := manager.GetResourceCompareOptions()
	if err != nil {
		return meaning{}, err
	}
	meanings[string(key)] = meaning{overrides, options}
	return meanings[string(key)], nil
}

func overridesOf(data map[string]string) (map[string]v1alpha1.ResourceOverride, error) {
	known, err := meaningOf(data)
	return known.overrides, err
}

func objectHealth(req *request) (any, error) {
	obj, err := object(req.Object)
	if err != nil {
		return nil, err
	}
	overrides, err := overridesOf(req.Settings)
	if err != nil {
		return nil, err
	}
	status, err := health.GetResourceHealth(obj, lua.ResourceHealthOverrides(overrides))
	if status == nil {
		return nil, err
	}
	return status, err
}

type dryRunAnswer struct{ prediction *unstructured.Unstructured }

func (d dryRunAnswer) Run(context.Context, *unstructured.Unstructured, string) (string, error) {
	text, err := d.prediction.MarshalJSON()
	return string(text), err
}

func difference(req *request) (any, error) {
	var liveContent map[string]any
	if len(req.Live) > 0 {
		if err := json.Unmarshal(req.Live, &liveContent); err != nil {
			return nil, err
		}
	}
	objs, err := objects([]map[string]any{liveContent, req.Desired, req.Prediction})
	if err != nil {
		return nil, err
	}
	live, desired, prediction := objs[0], objs[1], objs[2]
	known, err := meaningOf(req.Settings)
	if err != nil {
		return nil, err
	}
	builder := diff.NewDiffConfigBuilder().
		WithDiffSettings(req.Ignores, known.overrides, known.options.IgnoreAggregatedRoles, normalizers.IgnoreNormalizerOpts{JQExecutionTimeout: time.Second}).
		WithTracking("app.kubernetes.io/instance", string(v1alpha1.TrackingMethodAnnotation)).
		WithManager("argocd-controller").
		WithNoCache()
	if prediction != nil {
		builder.WithServerSideDiff(true).WithServerSideDryRunner(dryRunAnswer{prediction}).WithIgnoreMutationWebhook(false)
	}
	config, err := builder.Build()
	if err != nil {
		return nil, err
	}
	result, err := diff.StateDiff(live, desired, config)
	if err != nil {
		return nil, err
	}
	return map[string]any{
		"modified":       result.Modified,
		"normalizedLive": json.RawMessage(result.NormalizedLive),
		"predictedLive":  json.RawMessage(result.PredictedLive),
	}, nil
}

func normalized(req *request) (any, error) {
	obj, err := object(req.Object)
	if err != nil {
		return nil, err
	}
	overrides, err := overridesOf(req.Settings)
	if err != nil {
		return nil, err
	}
	ignores, err := normalizers.NewIgnoreNormalizer(req.Ignores, overrides, normalizers.IgnoreNormalizerOpts{JQExecutionTimeout: time.Second})
	if err != nil {
		return nil, err
	}
	knownTypes, err := normalizers.NewKnownTypesNormalizer(overrides)
	if err != nil {
		return nil, err
	}
	if err := knownTypes.Normalize(obj); err != nil {
		return nil, err
	}
	if err := ignores.Normalize(obj); err != nil {
		return nil, err
	}
	return obj.Object, nil
}

func hookFacts(req *request) (any, error) {
	obj, err := object(req.Object)
	if err != nil {
		return nil, err
	}
	return map[string]any{
		"isHook":         hook.IsHook(obj),
		"skip":           hook.Skip(obj),
		"types":          hook.Types(obj),
		"deletePolicies": hook.DeletePolicies(obj),
		"wave":           syncwaves.Wave(obj),
	}, nil
}

func offeredActions(req *request) (any, error) {
	obj, err := object(req.Object)
	if err != nil {
		return nil, err
	}
	overrides, err := overridesOf(req.Settings)
	if err != nil {
		return nil, err
	}
	vm := lua.VM{ResourceOverrides: overrides}
	scripts, err := vm.GetResourceActionDiscovery(obj)
	if err != nil || len(scripts) == 0 {
		return []any{}, err
	}
	return vm.ExecuteResourceActionDiscovery(obj, scripts)
}

func runAction(req *request) (any, error) {
	obj, err := object(req.Object)
	if err != nil {
		return nil, err
	}
	overrides, err := overridesOf(req.Settings)
	if err != nil {
		return nil, err
	}
	vm := lua.VM{ResourceOverrides: overrides}
	action, err := vm.GetResourceAction(obj, req.Action)
	if err != nil {
		return nil, fmt.Errorf("action %q: %w", req.Action, err)
	}
	var parameters []*applicationpkg.ResourceActionParameters
	for _, p := range req.Parameters {
		parameters = append(parameters, &applicationpkg.ResourceActionParameters{Name: &p.Name, Value: &p.Value})
	}
	impacted, err := vm.ExecuteResourceAction(obj, action.ActionLua, parameters)
	if err != nil {
		return nil, err
	}
	written := []any{}
	for _, resource := range impacted {
		written = append(written, map[string]any{"operation": resource.K8SOperation, "object": resource.UnstructuredObj.Object})
	}
	return written, nil
}
