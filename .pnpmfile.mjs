/**
 * Of Scalar only the finished browser script is used, which has everything inside:
 * without this its Vue sources' dependencies would be installed too, a hundred packages.
 */
export const hooks = {
  readPackage(manifest) {
    if (manifest.name === '@scalar/api-reference') manifest.dependencies = {};
    return manifest;
  },
};
