{{- /* Made from the code by `WAYGUARD_UPDATE=1 cargo test -p wayguard --lib chart`; do not edit. */ -}}
{{- define "wayguard.rights.serve.cluster" }}
- apiGroups:
  - ""
  resources:
  - namespaces
  verbs:
  - get
  - list
  - watch
- apiGroups:
  - wayguard.io
  resources:
  - imageauthorities
  - policies
  - policybundles
  - trustroots
  verbs:
  - get
  - list
  - watch
- apiGroups:
  - authorization.k8s.io
  resources:
  - subjectaccessreviews
  verbs:
  - create
- apiGroups:
  - ""
  resources:
  - pods
  verbs:
  - list
- apiGroups:
  - apps
  resources:
  - daemonsets
  - deployments
  - replicasets
  - statefulsets
  verbs:
  - get
- apiGroups:
  - batch
  resources:
  - cronjobs
  - jobs
  verbs:
  - get
- apiGroups:
  - ""
  resources:
  - replicationcontrollers
  verbs:
  - get
{{- end }}
{{- define "wayguard.rights.serve.own" }}
- apiGroups:
  - wayguard.io
  resources:
  - policyexceptions
  verbs:
  - get
  - list
  - watch
- apiGroups:
  - ""
  resources:
  - configmaps
  verbs:
  - get
  - list
  - watch
- apiGroups:
  - ""
  resourceNames:
  - wayguard-ca
  resources:
  - secrets
  verbs:
  - get
  - list
  - watch
{{- end }}
{{- define "wayguard.rights.control.cluster" }}
- apiGroups:
  - wayguard.io
  resources:
  - imageauthorities
  - policies
  - policybundles
  - trustroots
  verbs:
  - get
  - list
  - watch
- apiGroups:
  - wayguard.io
  resources:
  - imageauthorities/status
  - policies/status
  - policybundles/status
  - trustroots/status
  verbs:
  - patch
- apiGroups:
  - admissionregistration.k8s.io
  resourceNames:
  - wayguard
  resources:
  - mutatingwebhookconfigurations
  - validatingwebhookconfigurations
  verbs:
  - create
  - get
  - list
  - patch
  - watch
- apiGroups:
  - rbac.authorization.k8s.io
  resourceNames:
  - wayguard-anchor
  resources:
  - clusterroles
  verbs:
  - get
{{- end }}
{{- define "wayguard.rights.control.own" }}
- apiGroups:
  - wayguard.io
  resources:
  - policyexceptions
  verbs:
  - get
  - list
  - watch
- apiGroups:
  - wayguard.io
  resources:
  - policyexceptions/status
  verbs:
  - patch
- apiGroups:
  - ""
  resources:
  - configmaps
  verbs:
  - create
  - delete
  - get
  - list
  - patch
  - watch
- apiGroups:
  - ""
  resourceNames:
  - wayguard-ca
  resources:
  - secrets
  verbs:
  - get
  - update
- apiGroups:
  - discovery.k8s.io
  resources:
  - endpointslices
  verbs:
  - list
  - watch
- apiGroups:
  - coordination.k8s.io
  resourceNames:
  - wayguard-control-webhooks
  resources:
  - leases
  verbs:
  - get
  - update
- apiGroups:
  - coordination.k8s.io
  resources:
  - leases
  verbs:
  - create
{{- end }}
{{- define "wayguard.rights.audit.cluster" }}
- apiGroups:
  - ""
  resources:
  - namespaces
  verbs:
  - get
  - list
  - watch
- apiGroups:
  - wayguard.io
  resources:
  - policies
  - policybundles
  verbs:
  - get
  - list
  - watch
- apiGroups:
  - apps
  resources:
  - daemonsets
  - deployments
  - replicasets
  - statefulsets
  verbs:
  - get
- apiGroups:
  - batch
  resources:
  - cronjobs
  - jobs
  verbs:
  - get
- apiGroups:
  - ""
  resources:
  - replicationcontrollers
  verbs:
  - get
- apiGroups:
  - ""
  resources:
  - pods
  - podtemplates
  - replicationcontrollers
  verbs:
  - list
  - watch
- apiGroups:
  - apps
  resources:
  - daemonsets
  - deployments
  - replicasets
  - statefulsets
  verbs:
  - list
  - watch
- apiGroups:
  - batch
  resources:
  - cronjobs
  - jobs
  verbs:
  - list
  - watch
- apiGroups:
  - openreports.io
  resources:
  - clusterreports
  - reports
  verbs:
  - create
  - delete
  - list
  - patch
- apiGroups:
  - wgpolicyk8s.io
  resources:
  - clusterpolicyreports
  - policyreports
  verbs:
  - create
  - delete
  - list
  - patch
{{- end }}
{{- define "wayguard.rights.audit.own" }}
- apiGroups:
  - wayguard.io
  resources:
  - policyexceptions
  verbs:
  - get
  - list
  - watch
- apiGroups:
  - ""
  resources:
  - configmaps
  verbs:
  - get
  - list
  - watch
- apiGroups:
  - coordination.k8s.io
  resourceNames:
  - wayguard-control-audit
  resources:
  - leases
  verbs:
  - get
  - update
- apiGroups:
  - coordination.k8s.io
  resources:
  - leases
  verbs:
  - create
{{- end }}
{{- define "wayguard.rights.history.own" }}
- apiGroups:
  - ""
  resourceNames:
  - wayguard-ca
  resources:
  - secrets
  verbs:
  - get
  - list
  - watch
{{- end }}
