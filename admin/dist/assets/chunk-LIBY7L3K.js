import{e,k as s}from"./chunk-FNE2NJQA.js";var r=e(null);function p(){let o=s(r);if(!o)throw new Error("no dashboard above this component");return o}export{r as a,p as b};
