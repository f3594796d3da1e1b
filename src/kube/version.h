/* version.h - which Kubernetes we speak, as /version and nodes say it. */
#pragma once

#define KUBE_VERSION "v1.32.0+davy." DAVY_VERSION
